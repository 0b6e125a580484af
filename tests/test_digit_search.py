"""Several digits in one picture: rows, separators, boxes of a form, digits that touch."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from test_digit_preprocessing import correlate, draw_ink, load_digits, to_picture

from lenet_tf.errors import DataError
from lenet_tf.inference.digit_cutting import cut_digits
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.digit_search import find_digits
from lenet_tf.inference.ink_parts import Part

HEIGHT, STEP = 60, 70


def draw_row(numbers, top=20, shape=None):
    """Return the ink of a row of digits, and the box of each: top, left, height, width."""
    shape = shape or (100, STEP * len(numbers) + 40)
    ink, boxes = np.zeros(shape), []
    for position, number in enumerate(numbers):
        drawn = draw_ink(number, HEIGHT, top, 20 + STEP * position, shape)
        rows, columns = (np.flatnonzero((drawn > 0.3).any(axis=axis)) for axis in (1, 0))
        boxes.append((rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1))
        ink = np.maximum(ink, drawn)
    return ink, boxes


def check(found, numbers, boxes):
    assert len(found) == len(numbers)
    for digit, number, box in zip(found, numbers, boxes, strict=True):
        place = (digit.top, digit.left, digit.height, digit.width)
        assert np.abs(np.subtract(place, box)).max() <= 4
        expected = as_digit(to_picture(draw_ink(number, HEIGHT, 20, 20, (100, 100))))
        assert correlate(digit.image, expected) > 0.9


@pytest.mark.parametrize("count", [2, 5, 10])
@pytest.mark.parametrize("paper", ["white", "dark", "shadow", "ruled", "squared", "noise"])
def test_a_row_is_found_from_left_to_right(count, paper):
    numbers = [0, 1, 2, 4, 5, 7, 9, 10, 11, 13][:count]
    ink, boxes = draw_row(numbers)
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    sheet = np.full(ink.shape, 235.0)
    sheet[(rows % 23 == 5) & (paper in ("ruled", "squared"))] = 160
    sheet[(columns % 19 == 4) & (paper == "squared")] = 160
    picture = to_picture(ink, sheet).astype(float)
    if paper == "shadow":
        picture[columns > rows + ink.shape[1] // 3] *= 0.5
    if paper == "noise":
        picture += np.random.default_rng(0).normal(0, 8, ink.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    check(find_digits(255 - picture if paper == "dark" else picture), numbers, boxes)


def test_two_rows_are_read_from_the_top():
    first, upper = draw_row([0, 1, 2], shape=(240, 260))
    second, lower = draw_row([4, 5], top=140, shape=(240, 260))
    check(find_digits(to_picture(first + second)), [0, 1, 2, 4, 5], upper + lower)


@pytest.mark.parametrize("separator", ["dot", "comma", "dash", "slash"])
def test_separators_are_left_out(separator):
    shape, numbers = (110, 330), [0, 1, 4, 5]
    ink, boxes = draw_row(numbers, top=25, shape=(110, STEP * 4 + 40))
    ink = np.insert(ink, [20 + 2 * STEP] * 34, 0, axis=1)
    boxes = [(top, left + 34 * (left > 2 * STEP), *size) for top, left, *size in boxes]
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    across, down = columns - 2 * STEP - 34, rows - 55
    marks = {
        "dot": np.hypot(across, down - 18) < 4,
        "comma": (np.abs(across + (down - 18) / 2) < 3) & (np.abs(down - 20) < 7),
        "dash": (np.abs(across) < 11) & (np.abs(down) < 3),
        "slash": (np.abs(across + 0.4 * down) < 3) & (np.abs(down) < 38),
    }
    assert len(shape) == 2
    ink = np.maximum(ink, marks[separator])
    check(find_digits(to_picture(ink)), numbers, boxes)


def test_the_boxes_of_a_form_are_left_out():
    numbers = [0, 1, 2, 4, 5]
    ink, boxes = draw_row(numbers)
    ink[10:12, 15:370] = ink[88:90, 15:370] = 1
    for left in range(15, 380, STEP):
        ink[10:90, left : left + 2] = 1
    check(find_digits(to_picture(ink)), numbers, boxes)


def test_dirt_is_left_out():
    numbers = [0, 1, 2]
    ink, boxes = draw_row(numbers)
    ink[5:8, 90:93] = ink[92:94, 30:33] = ink[50:53, 84:86] = 1
    check(find_digits(to_picture(ink)), numbers, boxes)


def test_touching_digits_are_cut_where_the_pieces_look_like_digits():
    numbers = [0, 4]
    ink, boxes = draw_row(numbers)
    right = boxes[0][1] + boxes[0][3]
    ink = np.delete(ink, np.arange(right - 1, boxes[1][1] + 1), axis=1)
    assert ndimage.label(ink > 0.3)[1] == 1
    picture = to_picture(ink)
    wanted = [find_digits(to_picture(draw_row([number])[0]))[0].image for number in numbers]

    def classify(images):
        likeness = [max(correlate(image, each) for each in wanted) for image in images]
        return np.array(likeness)[:, None]

    assert len(find_digits(picture)) == 1
    found = find_digits(picture, classify)
    assert [digit.left for digit in found] == sorted(digit.left for digit in found)
    assert len(found) == 2
    for digit, each in zip(found, wanted, strict=True):
        assert correlate(digit.image, each) > 0.85


def test_a_digit_in_pieces_is_cut_only_where_there_is_ink():
    ink = np.zeros((60, 140), np.float32)
    ink[5:55, 5:12] = ink[5:55, 60:64] = ink[5:55, 130:136] = 1

    def classify(images):
        return np.full((len(images), 10), 0.1)

    pieces = cut_digits(Part(3, 4, ink), 60, classify)
    assert all(piece.ink.any() for piece in pieces)


def test_a_flat_digit_beside_others_is_not_cut():
    part = Part(0, 0, np.ones((40, 60), np.float32))
    assert cut_digits(part, 70, lambda images: np.ones((len(images), 10))) == [part]


@pytest.mark.parametrize("noise", [0, 10])
def test_empty_paper_has_no_digits(noise):
    sheet = np.random.default_rng(0).normal(220, noise, (90, 400))
    with pytest.raises(DataError, match="nothing is drawn in it"):
        find_digits(np.clip(sheet, 0, 255).astype(np.uint8))


def test_a_large_photograph_gives_boxes_in_its_own_pixels():
    ink, boxes = draw_row([0, 1, 2])
    large = np.asarray(Image.fromarray(to_picture(ink)).resize((2500, 1000)))
    found = find_digits(large)
    assert [digit.left // 100 for digit in found] == [box[1] // 10 for box in boxes]
    assert len(load_digits()) >= len(found) == 3
