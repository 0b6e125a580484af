"""The page prepares drawings as `lenet_tf.as_digit` does, pixel for pixel."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from drawings import draw_digits
from node import run_script

from lenet_tf.errors import DataError
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.grayscale import to_gray

REASONS = {"nothing": "nothing is drawn", "several": "separate digits", "dot": "it is a dot"}
PREPARE = """
    import {prepareDrawing, PictureError} from "#page/preparation/prepare-picture.js";
    const prepare = ({height, width, pixels}) => {
      try {
        const gray = {height, width, pixels: new Uint8Array(Buffer.from(pixels, "base64"))};
        return Buffer.from(prepareDrawing(gray).image.pixels).toString("base64");
      } catch (error) {
        if (!(error instanceof PictureError)) throw error;
        return error.code;
      }
    };
    answer(argument.map(prepare));
"""


def encode(pixels):
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def prepare(grays):
    """Prepare pictures in Node: (28, 28), or the code of the reason why one is refused."""
    sent = [
        {"height": h, "width": w, "pixels": encode(gray)} for gray in grays for h, w in [gray.shape]
    ]
    return [
        each if each in REASONS else np.frombuffer(base64.b64decode(each), np.uint8).reshape(28, 28)
        for each in run_script(PREPARE, sent)
    ]


def check_equal(names, grays):
    """Check that Node and Python give the same image or refuse for the same reason."""
    for name, gray, prepared in zip(names, grays, prepare(grays), strict=True):
        if isinstance(prepared, str):
            with pytest.raises(DataError, match=REASONS[prepared]):
                as_digit(gray)
        else:
            np.testing.assert_array_equal(prepared, as_digit(gray), err_msg=name)


def test_drawings_in_fonts_and_with_pens_become_the_same_digits():
    drawings = list(draw_digits())
    check_equal([name for name, _, _ in drawings], [to_gray(picture) for _, _, picture in drawings])
