"""Pictures of digits and of other things, made by code from seeds.

They train and test the network that tells digits from other things. Fonts are those that
Matplotlib ships; strokes, blobs and turned digits need nothing but MNIST.
"""

from __future__ import annotations

import string
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from scipy.interpolate import CubicSpline

# O, o, I and l look like 0 and 1.
LETTERS = "".join(letter for letter in string.ascii_letters if letter not in "OoIl")
# Greek and Cyrillic without what looks like 0, 1 or 3, Armenian, and every few of the mathematical
# signs, arrows, geometric shapes and pictograms.
SIGNS = (
    "!?#$%&*+-/=@[]^_~<>{}§¶±÷×"
    + "".join(chr(code) for code in range(0x391, 0x3CA) if chr(code) not in "\u03a2ΙΟοι")
    + "".join(chr(code) for code in range(0x410, 0x450) if chr(code) not in "ЗзОоб")
    + "".join(
        chr(code)
        for codes in (
            range(0x531, 0x557),
            range(0x2190, 0x2200, 6),
            range(0x2200, 0x22FF, 5),
            range(0x25A0, 0x2600, 4),
            range(0x2600, 0x26FF, 3),
        )
        for code in codes
    )
)
# DejaVu has all of SIGNS, STIX only letters and digits.
SIGN_FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "DejaVuSansMono",
)
FONTS = (*SIGN_FONTS, "STIXGeneral", "STIXGeneralItalic")

SIDE = 56
_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
_FONT_SIZE, _LONGER_SIDE = 64, 42
# How a digit of MNIST can be turned so that it is none: mirrored, upside down, by 180 degrees, to
# the left, to the right. A 0 is always one.
_TURNS = {1: "l", 2: "lr", 3: "hlr", 4: "hvu", 5: "lr", 6: "hvlr", 7: "hvulr", 8: "l", 9: "hvlr"}

Random = np.random.Generator


def draw_character(random: Random, characters: str, fonts: tuple[str, ...] = FONTS) -> np.ndarray:
    """Draw one of some characters in one of some fonts, distorted.

    Args:
        random: Chooses the character, the font and the distortion.
        characters: The characters.
        fonts: Names of Matplotlib's fonts.

    Returns:
        float32 (`SIDE`, `SIDE`), 0 paper … 1 ink.
    """
    character = characters[random.integers(len(characters))]
    return distort(random, draw_plain(character, fonts[random.integers(len(fonts))]), 1.0)


def draw_plain(character: str, font: str) -> np.ndarray:
    """Draw a character as a font has it.

    Args:
        character: The character.
        font: Name of one of Matplotlib's fonts.

    Returns:
        float32 (`SIDE`, `SIDE`), 0 paper … 1 ink.
    """
    face = ImageFont.truetype(str(_FOLDER / f"{font}.ttf"), _FONT_SIZE)
    sheet = Image.new("L", (160, 160))
    ImageDraw.Draw(sheet).text((48, 40), character, fill=255, font=face)
    glyph = sheet.crop(sheet.getbbox())
    scale = _LONGER_SIDE / max(glyph.size)
    width, height = (max(1, round(side * scale)) for side in glyph.size)
    centered = Image.new("L", (SIDE, SIDE))
    glyph = glyph.resize((width, height), Image.Resampling.BILINEAR)
    centered.paste(glyph, ((SIDE - width) // 2, (SIDE - height) // 2))
    return _to_ink(centered)


def draw_strokes(random: Random) -> np.ndarray:
    """Draw one to six random lines or curves, likewise."""
    sheet = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(sheet)
    width = int(random.integers(2, 7))
    count = int(random.choice([1, 1, 2, 2, 3, 4, 6]))
    for _ in range(count):
        fewest = 2 if count > 1 else 4
        points = random.uniform(8, SIDE - 8, (int(random.integers(fewest, 13)), 2))
        if len(points) > 2 and random.random() < 0.6:
            times = np.linspace(0, len(points) - 1, 8 * len(points))
            points = CubicSpline(np.arange(len(points)), points)(times)
        draw.line([tuple(point) for point in points], fill=255, width=width, joint="curve")
    if random.random() < 0.25:
        corner, size = random.uniform(8, SIDE - 28, 2), random.uniform(10, 26, 2)
        draw.ellipse((*corner, *(corner + size)), outline=255, width=width)
    return _to_ink(sheet)


def draw_blobs(random: Random) -> np.ndarray:
    """Draw spots, a filled shape or a cloud, as photographs become, likewise."""
    noise = ndimage.gaussian_filter(random.normal(0, 1, (SIDE, SIDE)), random.uniform(1, 6))
    noise /= noise.std()
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    kind = random.integers(3)
    if kind == 0:
        ink = (noise > random.uniform(0.3, 1.5)) * (x * x + y * y < 0.8)
    elif kind == 1:
        width, height = random.uniform(0.3, 0.7), random.uniform(0.4, 0.8)
        inside = (np.abs(x) + noise / 8 < width) & (np.abs(y) < height)
        ink = inside * np.clip(0.6 + 0.4 * noise, 0.1, 1)
    else:
        ink = np.clip(0.5 * noise + 0.3, 0, 1) * ((np.abs(x) < 0.75) & (np.abs(y) < 0.75))
    return ink.astype(np.float32)


def enlarge_digit(random: Random, image: np.ndarray) -> np.ndarray:
    """Enlarge a digit image of MNIST and distort it slightly, as another pen would draw it."""
    sheet = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return distort(random, _to_ink(sheet), 0.6)


def distort(random: Random, ink: np.ndarray, strength: float) -> np.ndarray:
    """Turn, slant, stretch and bend a drawing, and make some strokes thinner or thicker.

    Args:
        random: Chooses how.
        ink: float32 (`SIDE`, `SIDE`).
        strength: 1 for a strong distortion, less for a weaker one.

    Returns:
        float32, likewise.
    """
    angle, shear = strength * random.normal(0, 0.12), strength * random.normal(0, 0.2)
    height, width = np.exp(strength * random.normal(0, 0.15, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[height, 0], [shear, width]])
    center = (SIDE - 1) / 2
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) - center
    coarse = random.normal(0, strength * random.uniform(0, 2.6), (2, 7, 7)).astype(np.float32)
    bend = [
        np.asarray(Image.fromarray(each).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        for each in coarse
    ]
    places = [matrix[i, 0] * y + matrix[i, 1] * x + center + bend[i] for i in (0, 1)]
    ink = ndimage.map_coordinates(ink, places, order=1)
    pen = random.integers(5)
    if pen == 0 and ink.sum() > 260:
        return ndimage.grey_erosion(ink, 3)
    return ndimage.grey_dilation(ink, 2 * pen + 1) if pen in (1, 2) else ink


def to_picture(random: Random, ink: np.ndarray) -> np.ndarray:
    """Put a drawing on paper, dark on light, with noise on some.

    Returns:
        Gray uint8 (height, width).
    """
    ink = np.pad(np.clip(ink, 0, 1), int(random.integers(2, 16)))
    light, dark = random.uniform(190, 255), random.uniform(0, 100)
    picture = light + (dark - light) * ink
    if random.random() < 0.4:
        picture = picture + random.normal(0, random.uniform(1, 8), picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def turn_digit(random: Random, image: np.ndarray, label: int) -> np.ndarray:
    """Mirror or turn a digit image of MNIST, of any class but 0, so that it is no digit."""
    turn = _TURNS[label][random.integers(len(_TURNS[label]))]
    turned = {
        "h": image[:, ::-1],
        "v": image[::-1],
        "u": image[::-1, ::-1],
        "l": np.rot90(image),
        "r": np.rot90(image, 3),
    }
    return turned[turn]


def overlay_digits(random: Random, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Write one digit image of MNIST over another, slightly moved."""
    return np.maximum(first, np.roll(second, tuple(random.integers(-5, 6, 2)), (0, 1)))


def _to_ink(sheet: Image.Image) -> np.ndarray:
    return np.asarray(sheet, np.float32) / 255
