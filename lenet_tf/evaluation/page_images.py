"""Images in HTML pages: galleries that fit any width, each image embedded as PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from PIL import Image

from lenet_tf.evaluation.image_figures import to_displayable
from lenet_tf.evaluation.palette import DIVERGING

# Larger images are embedded smaller, so that the size of a page is bounded.
_MAX_SIDE = 96


@dataclass(frozen=True)
class Picture:
    """Images side by side with their caption.

    Attributes:
        images: The images, as data URIs.
        caption: What they show, of one line or more.
        is_strip: Whether the image is a line of units, which is as wide as the page.
    """

    images: Sequence[str]
    caption: str
    is_strip: bool = False


def to_data_uri(pixels: np.ndarray) -> str:
    """Turn an image into an address that holds it.

    Args:
        pixels: uint8 (height, width) or (height, width, 3). Sides above 96 pixels are reduced, but
            not of a line.

    Returns:
        A `data:` URI of a PNG file.
    """
    image, stream = Image.fromarray(pixels), io.BytesIO()
    if min(image.size) > 1 and max(image.size) > _MAX_SIDE:
        image.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.BOX)
    image.save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def build_gallery(
    images: Sequence[np.ndarray], captions: Sequence[str], are_photographs: bool = False
) -> list[Picture]:
    """Build a gallery of raw images; gray ones are shown as ink, high values dark.

    Args:
        images: Raw images of values 0 to 255, each (height, width) or (height, width, channels).
        captions: Their captions.
        are_photographs: Whether gray images are shown as they are.
    """
    shown = to_displayable(np.stack(images), are_photographs) if len(images) else ()
    return [
        Picture([to_data_uri(image if image.ndim == 3 else 255 - image)], caption)
        for image, caption in zip(shown, captions, strict=True)
    ]


def to_ink(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Turn numbers into shades of gray, uint8 of the same shape; `high` is black."""
    return np.uint8(255 - 255 * np.clip((values - low) / ((high - low) or 1.0), 0, 1))


def to_diverging(values: np.ndarray, limit: float) -> np.ndarray:
    """Turn numbers from -limit to limit into violet to orange, uint8 (..., 3); NaN is white."""
    scaled = np.nan_to_num(values / (limit or 1.0)) / 2 + 0.5
    return np.uint8(255 * colormaps[DIVERGING](scaled)[..., :3])
