"""What a network looks at in a few images: saliency and Grad-CAM, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colors

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.evaluation.inspection import find_grad_cam_layer, grad_cam, saliency
from lenet_tf.evaluation.mistakes import name_mistakes
from lenet_tf.evaluation.page_images import to_diverging, to_ink
from lenet_tf.evaluation.palette import ORANGE
from lenet_tf.evaluation.scores import name_class
from lenet_tf.models.lenet import LeNet

# Examples of each kind.
_MISTAKES, _CORRECT = 4, 4


@dataclass(frozen=True)
class Attributions:
    """A few images and what supports their predictions.

    Attributes:
        rows: `image`, `saliency` and, if the network has a convolution for it, `Grad-CAM` → RGB
            images, uint8 (N, height, width, 3).
        titles: The images' classes, predictions and numbers.
        note: What the images show.
    """

    rows: dict[str, np.ndarray]
    titles: list[str]
    note: str


def compute_attributions(
    model: LeNet,
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    mistakes: np.ndarray,
    class_names: Sequence[str] = (),
    are_photographs: bool = False,
) -> Attributions:
    """Explain the most confident mistakes and the first correct predictions of other classes.

    Args:
        model: The network.
        images: Raw test images of values 0 to 255.
        labels: True classes, int (N,).
        probabilities: Class probabilities, float (N, classes).
        mistakes: Indices of the misclassified images, as `rank_mistakes` returns them.
        class_names: Names of the classes; none are numbers.
        are_photographs: Whether gray images are shown as they are, not as ink.
    """
    wrong = mistakes[:_MISTAKES]
    predictions = probabilities.argmax(axis=1)
    correct = np.flatnonzero(predictions == labels)
    _, first = np.unique(labels[correct], return_index=True)
    correct = np.sort(correct[first])[:_CORRECT]
    chosen = np.concatenate([correct, wrong])
    titles = [f"{name_class(labels[index], class_names)}\nimage {index}" for index in correct]
    named = name_mistakes(labels, probabilities, wrong, class_names)
    titles += [f"{title}\nimage {index}" for title, index in zip(named, wrong, strict=True)]
    raw = np.stack([images[index] for index in chosen])
    prepared = np.asarray(prepare_images(raw, model.spec.preparation))
    rows = {
        "image": _show_images(prepared, are_photographs),
        "saliency": _show_saliency(saliency(model, raw)),
    }
    note = (
        "Saliency, beside each image: orange pixels support the prediction if they become brighter,"
        " violet ones if they become darker."
    )
    layer = find_grad_cam_layer(model)
    if layer is None:
        note += f" {model.name} has no convolution with maps for Grad-CAM."
    else:
        rows["Grad-CAM"] = _show_heat(rows["image"], grad_cam(model, raw, predictions[chosen]))
        note += (
            f" Grad-CAM, on its right: orange is where the maps of {layer} support the prediction."
        )
    return Attributions(rows, titles, note)


def _show_images(prepared: np.ndarray, are_photographs: bool) -> np.ndarray:
    """Show prepared images: gray ones as ink, high values dark, unless they are photographs."""
    low, high = prepared.min(), prepared.max()
    if prepared.shape[-1] == 3:
        return 255 - to_ink(prepared, low, high)
    ink = to_ink(prepared.mean(axis=-1), low, high)[..., None].repeat(3, axis=-1)
    return 255 - ink if are_photographs else ink


def _show_saliency(gradients: np.ndarray) -> np.ndarray:
    totals = gradients.sum(axis=-1)
    limits = np.abs(totals).max(axis=(1, 2), keepdims=True)
    return to_diverging(totals / np.where(limits > 0, limits, 1), 1)


def _show_heat(images: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Lay heat over faded images."""
    highest = heat.max(axis=(1, 2), keepdims=True)
    strength = 0.85 * (heat / np.where(highest > 0, highest, 1))[..., None]
    faded = 127.0 + 0.5 * images
    orange = 255 * np.array(colors.to_rgb(ORANGE))
    return np.uint8(faded * (1 - strength) + orange * strength)
