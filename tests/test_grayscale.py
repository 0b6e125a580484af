"""Strokes that lightness alone doesn't show: transparency, equal lightness, few of 16 bits."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lenet_tf.errors import DataError
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.image_files import read_picture

# A 7, as 0 paper … 1 ink.
INK = np.zeros((120, 100))
INK[20:30, 20:80] = 1
for _row in range(30, 100):
    INK[_row, 76 - _row // 2 : 86 - _row // 2] = 1
EXPECTED = as_digit(np.round(255 * (1 - INK)).astype(np.uint8))


def read_digit(image, folder, name="x.png", **options):
    image.save(folder / name, **options)
    return as_digit(read_picture(folder / name))


def mix(paper, pen):
    ink = INK[..., None]
    return Image.fromarray((np.array(paper) * (1 - ink) + np.array(pen) * ink).astype(np.uint8))


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (255, 220, 0), (127, 127, 127)])
def test_strokes_on_transparency_and_transparent_strokes(color, tmp_path):
    opacity = np.round(255 * INK).astype(np.uint8)
    for alpha in (opacity, 255 - opacity):
        image = Image.new("RGBA", INK.shape[::-1], (*color, 0))
        image.putalpha(Image.fromarray(alpha))
        np.testing.assert_array_equal(read_digit(image, tmp_path), EXPECTED)


def test_a_sheet_with_transparent_surroundings(tmp_path):
    """As of a sticker that was cut out: its own paper counts."""
    image = mix((255, 255, 255), (0, 0, 0)).convert("RGBA")
    alpha = np.zeros(INK.shape, np.uint8)
    alpha[8:-8, 8:-8] = 255
    image.putalpha(Image.fromarray(alpha))
    np.testing.assert_array_equal(read_digit(image, tmp_path), EXPECTED)


@pytest.mark.parametrize(
    ("paper", "pen"),
    [
        ((255, 0, 0), (0, 130, 0)),
        ((255, 255, 255), (255, 255, 0)),
        ((0, 130, 0), (255, 0, 0)),
        ((0, 0, 255), (60, 16, 0)),
    ],
)
def test_colors_of_equal_lightness(paper, pen, tmp_path):
    image = mix(paper, pen)
    np.testing.assert_array_equal(read_digit(image, tmp_path), EXPECTED)
    blurred = read_digit(image, tmp_path, "x.jpg", quality=90).astype(int)
    assert np.abs(blurred - EXPECTED).mean() < 12


def test_lightness_is_kept_where_it_shows_the_strokes(tmp_path):
    """A blue pen on white paper."""
    image = mix((250, 250, 250), (20, 40, 200))
    image.save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png"), np.array(image.convert("L")))


@pytest.mark.parametrize("top", [255, 200, 1023, 4095, 65_535])
@pytest.mark.parametrize("inverted", [False, True])
def test_16_bit_files_that_use_fewer_bits(top, inverted, tmp_path):
    values = np.round(top * (INK if inverted else 1 - INK)).astype(np.uint16)
    np.testing.assert_array_equal(read_digit(Image.fromarray(values), tmp_path), EXPECTED)


def test_dark_16_bit_noise_is_nothing(tmp_path):
    values = np.random.default_rng(0).integers(30_000, 30_200, INK.shape).astype(np.uint16)
    with pytest.raises(DataError, match="nothing is drawn"):
        read_digit(Image.fromarray(values), tmp_path)
    with pytest.raises(DataError, match="nothing is drawn"):
        read_digit(Image.new("RGBA", (30, 20)), tmp_path)
