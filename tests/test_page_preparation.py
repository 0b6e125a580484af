"""The page prepares drawings as `lenet_tf.as_digit` does, pixel for pixel."""

from __future__ import annotations

import base64
import csv
from pathlib import Path

import numpy as np
import PIL
import pytest
from drawings import draw_digits
from node import run_script
from PIL import Image
from sheets import draw_pad, draw_pads, draw_sheets

from lenet_tf.data.picture_images import fit_image
from lenet_tf.errors import DataError
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.grayscale import to_gray
from lenet_tf.inference.image_files import read_picture

REASONS = {"nothing": "nothing is drawn", "several": "separate digits", "dot": "it is a dot"}
PREPARE = """
    async (pictures) => {
      const {prepareDrawing, PictureError} = await import("#page/preparation/prepare-picture.js");
      return pictures.map(([height, width, text]) => {
        const pixels = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
        try {
          return Array.from(prepareDrawing({height, width, pixels}).image.pixels);
        } catch (error) {
          if (!(error instanceof PictureError)) throw error;
          return error.code;
        }
      });
    }
"""
# Pillow before 13 resizes tall pictures in another order, which rounds differently.
pytestmark = pytest.mark.skipif(int(PIL.__version__.split(".")[0]) < 13, reason="an older Pillow")


def encode(pixels):
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def decode(text):
    return np.frombuffer(base64.b64decode(text), np.uint8)


def expect(gray):
    """Return the pixels of the digit image, or the code of the reason for refusing the picture."""
    try:
        return as_digit(gray).ravel().tolist()
    except DataError as error:
        return next(code for code, text in REASONS.items() if text in str(error))


def check_equal(named, expected=None, run=None):
    """Check that the page and Python give the same images, or refuse for the same reasons.

    Returns:
        How many pictures are refused.
    """
    run = run or (lambda script, values: run_script(f"answer(await ({script})(argument));", values))
    prepared = run(PREPARE, [(*gray.shape, encode(gray)) for _, gray in named])
    expected = expected or [expect(gray) for _, gray in named]
    pairs = zip(named, prepared, expected, strict=True)
    assert [name for (name, _), result, value in pairs if result != value] == []
    return sum(isinstance(result, str) for result in prepared)


@pytest.fixture(scope="module")
def drawings():
    """Return 220 drawings with names, and what `as_digit` makes of each.

    In fonts and with pens; of any size, with thin and thick pens, dark on light and light on dark;
    on ruled and squared paper, in frames and rings, in falling light and shadows, with noise.
    """
    typeset = [(name, to_gray(picture)) for name, _, picture in draw_digits()]
    named = [*typeset, *draw_pads(60), *draw_sheets(50)]
    return named, [expect(gray) for _, gray in named]


def test_drawings_become_the_same_digits(drawings):
    named, _ = drawings
    assert check_equal(*drawings) < len(named) / 10


@pytest.mark.slow
def test_drawings_become_the_same_digits_in_a_browser(drawings, open_page, preset_page):
    named, expected = drawings
    check_equal(named, expected, open_page(preset_page).evaluate)


@pytest.mark.slow
def test_many_drawings_on_any_paper_become_the_same_digits():
    check_equal([*draw_pads(200, seed=1), *draw_sheets(400, seed=1)])


def test_digits_of_mnist_and_pictures_of_odd_shapes_become_the_same(digits):
    random = np.random.default_rng(0)
    digits = digits.x_test.reshape(-1, 28, 28)[:20]
    named = [(f"digit {number}", digit) for number, digit in enumerate(digits)]
    named += [(f"dark digit {number}", 255 - digit) for number, digit in enumerate(digits)]
    named += [(f"moved {number}", np.roll(digit, 3, 1)) for number, digit in enumerate(digits)]
    for shape in [(1, 1), (1, 60), (60, 1), (3, 400), (5, 700), (900, 3), (8, 8), (401, 30)]:
        named.append((f"noise of {shape}", random.integers(0, 256, shape).astype(np.uint8)))
        specks = np.where(random.random(shape) < 0.1, 0, 255).astype(np.uint8)
        named.append((f"specks on {shape}", specks))
    check_equal(named)


def test_what_is_no_single_digit_is_refused_for_the_same_reason(digits):
    digits = digits.x_test.reshape(-1, 28, 28)
    y, x = np.mgrid[:120, :120]
    disk = np.where(np.hypot(y - 60, x - 60) < 20, 0, 255).astype(np.uint8)
    named = [
        *((f"paper of {level}", np.full((120, 90), level, np.uint8)) for level in (0, 130, 255)),
        ("noise", np.random.default_rng(0).normal(200, 4, (150, 150)).astype(np.uint8)),
        ("disk", disk),
        ("light disk", 255 - disk),
        ("two digits", np.pad(np.hstack([digits[0], digits[1]]), 10)),
        ("four digits", 255 - np.pad(np.hstack(digits[:4]), 10)),
    ]
    assert check_equal(named) == len(named)


@pytest.mark.slow
def test_pictures_by_other_people_become_the_same_digits(originals):
    folder = Path(originals) / "strangers"
    if not folder.is_dir():
        pytest.skip("the pictures are not here")
    with (folder / "labels.csv").open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    # One text of all of them has half a gigabyte, which is nearly the longest that V8 takes.
    for start in range(0, len(names), 32):
        check_equal([(name, read_picture(folder / name)) for name in names[start : start + 32]])


# Pictures in color


def draw_pictures():
    """Yield pictures as a browser decodes them: opaque, transparent, gray and in color."""
    random = np.random.default_rng(3)
    yield from (picture for _, _, picture in list(draw_digits(seed=3))[::3])
    for number in range(24):
        height, width = random.integers(1, 200, 2)
        levels = random.integers(0, 256, (height // 15 + 1, width // 15 + 1, 4), np.uint8)
        picture = Image.fromarray(levels).resize((int(width), int(height)))
        yield picture.convert(("RGB", "RGBA", "L")[number % 3])
    for number in range(10):
        # Strokes that only their color shows, or their opacity.
        ink = draw_pad(number, 150, 9, random)[..., None]
        first, second = random.integers(0, 256, (2, 3))
        yield Image.fromarray((first * (1 - ink) + second * ink).astype(np.uint8))
        alpha = Image.fromarray(np.round(255 * ink[..., 0]).astype(np.uint8))
        sheet = Image.new("RGBA", alpha.size, tuple(int(level) for level in first))
        sheet.putalpha(alpha)
        yield sheet


def test_pictures_become_the_same_gray_levels_and_the_same_images_for_networks_of_pictures():
    script = """
        import {fitPicture, toGray} from "#page/preparation/prepare-picture.js";
        const encode = (pixels) => Buffer.from(pixels).toString("base64");
        answer(argument.map(({height, width, pixels, shape}) => {
          const data = new Uint8ClampedArray(Buffer.from(pixels, "base64"));
          const picture = {height, width, data};
          return [toGray(picture), fitPicture(picture, ...shape)].map(
            (image) => encode(image.pixels));
        }));
    """
    pictures = list(draw_pictures())
    shapes = [((28, 28, 1), (32, 40, 3), (61, 50, 3))[at % 3] for at in range(len(pictures))]
    sent = [
        {
            "height": picture.height,
            "width": picture.width,
            "pixels": encode(picture.convert("RGBA")),
            "shape": shape,
        }
        for picture, shape in zip(pictures, shapes, strict=True)
    ]
    for picture, shape, answers in zip(pictures, shapes, run_script(script, sent), strict=True):
        gray, image = map(decode, answers)
        fitted = fit_image(picture, {}, shape[:2], color=shape[2] == 3)
        np.testing.assert_array_equal(gray, to_gray(picture).ravel())
        np.testing.assert_array_equal(image, fitted.ravel())
