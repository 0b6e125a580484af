"""Gray pictures of digits on paper of all kinds: ruled, framed, shadowed, noisy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from drawings import STROKES
from PIL import Image, ImageDraw

SIZES = (64, 90, 128, 200, 280, 281, 450, 600)
PENS = (1.5, 4.0, 9.0, 18.0, 26.0)
LIGHTS = ("even", "even", "falling", "corners", "shadow", "bumpy")
LINES = ("", "", "ruled", "squared", "tilted", "frame", "inner frame", "underline", "ring")
# Gray levels of the paper and the pen.
COLORS = ((255, 0), (235, 40), (200, 90), (20, 230), (0, 255))


def draw_pad(digit: int, size: int, pen: float, random: np.random.Generator) -> np.ndarray:
    """Draw a digit with smooth edges, as a canvas does: 0 paper … 1 ink.

    Args:
        digit: Which one.
        size: Both sides, in pixels.
        pen: Width of the pen, in pixels.
        random: Chooses the place and the size.
    """
    fine = 3
    picture = Image.new("L", (fine * size, fine * size))
    draw, width = ImageDraw.Draw(picture), max(1, round(fine * pen))
    scale, left, top = random.choice([0.15, 0.4, 0.7]), *random.uniform(0.05, 0.25, 2)
    for stroke in STROKES[digit]:
        places = np.array(stroke) + random.normal(0, 0.01, (len(stroke), 2))
        points = [
            ((left + scale * x) * fine * size, (top + scale * y) * fine * size) for x, y in places
        ]
        draw.line(points, fill=255, width=width, joint="curve")
        for x, y in points:
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX), float) / 255


def draw_pads(count: int, seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Yield names and pictures of digits on clean paper, dark on light and light on dark."""
    random = np.random.default_rng(seed)
    for number in range(count):
        size, pen = int(random.choice(SIZES)), random.choice(PENS)
        paper, ink = random.choice(COLORS)
        drawn = draw_pad(number % 10, size, pen * size / 280, random)
        picture = np.round(paper + (ink - paper) * drawn).astype(np.uint8)
        yield f"{number % 10} with a pen of {pen} on {size} pixels of {paper}", picture


def draw_sheets(count: int, seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Yield names and pictures of digits on paper with lines, in uneven light, with noise."""
    random = np.random.default_rng(seed)
    for number in range(count):
        size, pen = int(random.choice(SIZES[:-2])), random.choice(PENS)
        paper, ink = random.choice(COLORS)
        lines, light = str(random.choice(LINES)), str(random.choice(LIGHTS))
        noise = random.choice([0, 0, 1, 4, 12, 25])
        drawn = draw_pad(number % 10, size, pen * size / 280, random)
        strength = random.choice([0.4, 0.7, 1.0])
        drawn = np.maximum(drawn, strength * _draw_lines(lines, size))
        levels = (paper + (ink - paper) * drawn) * _shine(light, size, random)
        levels = levels + random.normal(0, noise, levels.shape)
        # Some are not square.
        picture = np.clip(levels, 0, 255).astype(np.uint8)[:, (size // 9) * (number % 2) :]
        yield f"{number}: {lines or 'blank'} paper of {paper} in {light} light", picture


def _draw_lines(kind: str, size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    margin = max(2, size // 30)
    depth = np.minimum(np.minimum(y, x), np.minimum(size - 1 - y, size - 1 - x))
    return {
        "": np.zeros((size, size), bool),
        "ruled": y % 27 == 5,
        "squared": (y % 27 == 5) | (x % 23 == 9),
        "tilted": (y + np.round(0.03 * x)) % 27 == 5,
        "frame": depth == 0,
        "inner frame": depth == margin,
        "underline": (y > 0.95 * size) & (y < 0.965 * size) & (abs(x - size / 2) < 0.4 * size),
        "ring": abs(np.hypot(x - size / 2, y - size / 2) - 0.48 * size) < 1.5,
    }[kind]


def _shine(kind: str, size: int, random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[-0.5 : 0.5 : size * 1j, -0.5 : 0.5 : size * 1j]
    angle = random.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle)
    return {
        "even": np.ones((size, size)),
        "falling": 1 - random.uniform(0.2, 0.6) * (across + 0.5),
        "corners": 1 - random.uniform(0.3, 0.9) * (x**2 + y**2),
        "shadow": np.where(across > random.uniform(-0.15, 0.15), 1, random.uniform(0.4, 0.8)),
        "bumpy": 1 - 0.3 * np.sin(6 * x + angle) ** 2 * np.cos(5 * y) ** 2,
    }[kind]
