"""Pictures of digits as users might have them: typeset and hand-drawn, in many styles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# matplotlib ships these fonts.
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSerif",
    "DejaVuSansMono",
    "STIXGeneral",
    "cmr10",
    "cmss10",
    "DejaVuSans-Oblique",
)
_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
# Polylines in a unit square, x to the right and y down.
_ROUND = [(0.5 + 0.38 * np.cos(a), 0.5 + 0.5 * np.sin(a)) for a in np.linspace(-1.6, 4.7, 25)]
_UPPER = [(0.5 + 0.32 * np.sin(a), 0.25 - 0.25 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 19)]
_LOWER = [(0.5 + 0.38 * np.sin(a), 0.75 - 0.25 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 19)]
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    0: [_ROUND],
    1: [[(0.5, 0.0), (0.47, 0.5), (0.45, 1.0)]],
    2: [
        [
            (0.15, 0.22),
            (0.3, 0.04),
            (0.6, 0.0),
            (0.82, 0.18),
            (0.75, 0.42),
            (0.4, 0.75),
            (0.1, 1.0),
            (0.9, 0.97),
        ]
    ],
    3: [
        [
            (0.15, 0.08),
            (0.5, 0.0),
            (0.82, 0.14),
            (0.75, 0.38),
            (0.42, 0.48),
            (0.82, 0.6),
            (0.85, 0.85),
            (0.5, 1.0),
            (0.12, 0.92),
        ]
    ],
    4: [[(0.25, 0.0), (0.12, 0.55), (0.88, 0.52)], [(0.72, 0.1), (0.66, 1.0)]],
    5: [
        [
            (0.85, 0.02),
            (0.25, 0.03),
            (0.2, 0.42),
            (0.6, 0.38),
            (0.86, 0.62),
            (0.75, 0.9),
            (0.4, 1.0),
            (0.1, 0.9),
        ]
    ],
    6: [
        [
            (0.72, 0.0),
            (0.35, 0.3),
            (0.15, 0.68),
            (0.3, 0.96),
            (0.65, 0.97),
            (0.82, 0.75),
            (0.6, 0.55),
            (0.22, 0.66),
        ]
    ],
    7: [[(0.1, 0.05), (0.88, 0.02), (0.6, 0.5), (0.42, 1.0)]],
    8: [_UPPER, _LOWER],
    9: [
        [
            (0.8, 0.2),
            (0.5, 0.02),
            (0.2, 0.2),
            (0.3, 0.45),
            (0.62, 0.44),
            (0.8, 0.2),
            (0.76, 0.6),
            (0.62, 1.0),
        ]
    ],
}


def draw_digits(seed: int = 0) -> Iterator[tuple[str, int, Image.Image]]:
    """Yield (name, digit, picture) for every digit in each font and with three pens."""
    random = np.random.default_rng(seed)
    for font in FONTS:
        for digit in range(10):
            yield (
                f"{font}-{digit}",
                digit,
                _place_on_sheet(_typeset(font, digit, int(random.integers(40, 160))), random),
            )
    for pen in ("thin", "middle", "thick"):
        for digit in range(10):
            yield (
                f"{pen}-{digit}",
                digit,
                _place_on_sheet(
                    _draw_strokes(
                        digit, {"thin": 0.02, "middle": 0.08, "thick": 0.14}[pen], random
                    ),
                    random,
                ),
            )


def _typeset(font: str, digit: int, size: int) -> Image.Image:
    """Return ink 255 on 0, cropped to the digit."""
    face = ImageFont.truetype(str(_FOLDER / f"{font}.ttf"), size)
    picture = Image.new("L", (2 * size, 2 * size))
    ImageDraw.Draw(picture).text((size // 2, size // 3), str(digit), fill=255, font=face)
    return picture.crop(picture.getbbox())


def _draw_strokes(digit: int, pen: float, random: np.random.Generator) -> Image.Image:
    size = int(random.integers(60, 240))
    picture = Image.new("L", (size + size // 2, size + size // 2))
    draw, width, slant = (
        ImageDraw.Draw(picture),
        max(1, round(pen * size)),
        random.uniform(-0.15, 0.15),
    )
    for stroke in STROKES[digit]:
        wobbly = np.array(stroke) + random.normal(0, 0.012, (len(stroke), 2))
        points = [
            ((0.25 + 0.75 * x + slant * (0.5 - y)) * size, (0.2 + y) * size) for x, y in wobbly
        ]
        draw.line(points, fill=255, width=width, joint="curve")
        for x, y in points:
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return picture.crop(picture.getbbox())


def _place_on_sheet(ink: Image.Image, random: np.random.Generator) -> Image.Image:
    """Place the digit on a larger sheet, in random colors; blur some, add noise to some."""
    width, height = (int(size * random.uniform(1.2, 2.6)) + 8 for size in ink.size)
    left, top = (
        int(random.integers(2, width - ink.width - 1)),
        int(random.integers(2, height - ink.height - 1)),
    )
    mask = Image.new("L", (width, height))
    mask.paste(ink, (left, top))
    if random.random() < 0.3:
        mask = mask.filter(ImageFilter.GaussianBlur(1))
    dark, light = (
        tuple(int(v) for v in random.integers(*bounds, 3)) for bounds in ((0, 90), (170, 256))
    )
    if random.random() < 0.2:
        # Only ink, on a transparent sheet.
        picture = Image.new("RGBA", mask.size, (*dark, 0))
        picture.putalpha(mask)
        return picture
    paper, pen = (light, dark) if random.random() < 0.6 else (dark, light)
    picture = Image.new("RGB", mask.size, paper)
    picture.paste(pen, mask=mask)
    if random.random() < 0.5:
        noisy = np.asarray(picture, np.float32) + random.normal(0, 12, (*mask.size[::-1], 3))
        picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    return picture
