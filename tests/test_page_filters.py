"""The page's filters compute the very values of NumPy, SciPy and Pillow."""

from __future__ import annotations

import base64

import numpy as np
import PIL
import pytest
from node import run_script
from PIL import Image
from scipy import ndimage

from lenet_tf.inference.ink_extraction import compute_threshold

CALL = """
    const modules = {};
    const Types = {float32: Float32Array, float64: Float64Array, uint8: Uint8Array};
    const decode = (value) => {
      if (!value?.pixels) return value;
      const bytes = Uint8Array.from(Buffer.from(value.pixels, "base64"));
      const pixels = new Types[value.type](bytes.buffer);
      return value.isFlat ? pixels : {...value, pixels};
    };
    const encode = (value) => {
      const pixels = value?.pixels ?? value;
      if (!ArrayBuffer.isView(pixels)) return value;
      return {
        ...value.boxes && {boxes: value.boxes},
        type: pixels.constructor.name.replace("Array", "").toLowerCase(),
        shape: value.pixels ? [value.height, value.width] : [pixels.length],
        pixels: Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)
          .toString("base64"),
      };
    };
    const results = [];
    for (const [file, name, values] of argument) {
      const module = await import(`#page/preparation/${file}.js`);
      results.push(encode(module[name](...values.map(decode))));
    }
    answer(results);
"""
RANDOM = np.random.default_rng(0)
SHAPES = [(1, 1), (1, 30), (40, 1), (7, 9), (33, 50), (64, 41)]
FLOATS = [RANDOM.normal(100, 60, shape).astype(np.float32) for shape in SHAPES]
MASKS = [
    (ndimage.gaussian_filter(RANDOM.random(shape), 0.7) > 0.5).astype(np.uint8) for shape in SHAPES
]


def encode(value):
    if not isinstance(value, np.ndarray):
        return value
    height, width = value.shape if value.ndim == 2 else (1, value.size)
    return {
        "height": height,
        "width": width,
        "isFlat": value.ndim == 1,
        "type": str(value.dtype),
        "pixels": base64.b64encode(np.ascontiguousarray(value).tobytes()).decode(),
    }


def decode(value):
    if not isinstance(value, dict) or "pixels" not in value:
        return value
    pixels = np.frombuffer(base64.b64decode(value["pixels"]), value["type"])
    return pixels.reshape(value["shape"])


def call(file, name, *calls):
    """Call a function of a script with several lists of values."""
    return run_script(CALL, [[file, name, list(map(encode, values))] for values in calls])


def check(file, name, arguments, expected):
    """Check that a script's function returns exactly the same values."""
    for result, value in zip(call(file, name, *arguments), expected, strict=True):
        np.testing.assert_array_equal(decode(result), value)


def test_smooth():
    expected = [ndimage.gaussian_filter(plane, 1, mode="nearest") for plane in FLOATS]
    check("filters", "smooth", [[plane] for plane in FLOATS], expected)
    for result, value in zip(
        call("filters", "smoothRim", *[[plane] for plane in FLOATS]), expected, strict=True
    ):
        rim = max(1, min(value.shape) // 20)
        inner = np.zeros(value.shape, bool)
        inner[rim:-rim, rim:-rim] = True
        np.testing.assert_array_equal(np.where(inner, 0, decode(result)), np.where(inner, 0, value))


@pytest.mark.parametrize("length", [1, 2, 3, 6, 7])
def test_average_rows(length):
    expected = [ndimage.uniform_filter1d(plane, length, axis=1) for plane in FLOATS]
    check("filters", "averageRows", [[plane, length] for plane in FLOATS], expected)


def test_medians_of_windows():
    expected = [ndimage.median_filter(plane, 3, mode="nearest") for plane in FLOATS]
    check("filters", "takeMedians", [[plane] for plane in FLOATS], expected)
    around = RANDOM.normal(0, 1, 253).astype(np.float32)
    lengths = [1, 3, 21]
    expected = [ndimage.median_filter(around, length, mode="wrap") for length in lengths]
    check("filters", "takeRingMedians", [[around, length] for length in lengths], expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (4, 4), (1, 6), (5, 1), (2, 9), (70, 71)])
@pytest.mark.parametrize("name", ["dilate", "erode", "open", "close"])
def test_morphology(name, size):
    """Windows of even length, and larger than the picture."""
    scipy = {
        "dilate": ndimage.grey_dilation,
        "erode": ndimage.grey_erosion,
        "open": ndimage.grey_opening,
        "close": ndimage.grey_closing,
    }[name]
    planes = [*FLOATS, *MASKS]
    arguments = [[plane, *size] for plane in planes]
    check("morphology", name, arguments, [scipy(plane, size) for plane in planes])


def test_widen():
    arguments, expected = [], []
    for mask in MASKS:
        for radius in (0, 1, 4):
            arguments.append([mask, radius])
            expected.append(ndimage.maximum_filter(mask, 2 * radius + 1))
    check("morphology", "widen", arguments, expected)


def test_dilate_by_disk():
    arguments, expected = [], []
    for plane in FLOATS:
        for radius in (1, 2, 5):
            y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
            disk = x * x + y * y <= radius * radius + 0.5
            padded = np.pad(np.abs(plane), radius)
            arguments.append([padded, radius])
            expected.append(ndimage.grey_dilation(padded, footprint=disk))
    check("morphology", "dilateByDisk", arguments, expected)


@pytest.mark.parametrize("is_diagonal", [True, False])
def test_labels(is_diagonal):
    noise = [RANDOM.integers(0, 2, shape).astype(np.uint8) for shape in SHAPES]
    masks = [*MASKS, *noise, np.zeros((5, 4), np.uint8)]
    structure = np.ones((3, 3)) if is_diagonal else None
    arguments = [[mask, is_diagonal] for mask in masks]
    for result, mask in zip(call("labels", "labelParts", *arguments), masks, strict=True):
        labels, _ = ndimage.label(mask, structure)
        np.testing.assert_array_equal(decode(result), labels)
        assert result["boxes"] == [
            {"top": y.start, "left": x.start, "bottom": y.stop, "right": x.stop}
            for y, x in ndimage.find_objects(labels)
        ]


def test_fill_holes():
    check("labels", "fillHoles", [[m] for m in MASKS], map(ndimage.binary_fill_holes, MASKS))


def test_distances():
    masks = [np.pad(1 - (RANDOM.random(shape) < 0.02), 1).astype(np.uint8) for shape in SHAPES]
    expected = map(ndimage.distance_transform_edt, masks)
    check("distances", "computeDistances", [[mask] for mask in masks], expected)


def draw_lists(dtype):
    lists = [RANDOM.normal(0, 1, count).astype(dtype) for count in (1, 2, 7, 8, 129, 1000, 4097)]
    return [*lists, *(np.repeat(values, 3)[:100] for values in lists)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_and_medians(dtype):
    """In the order of NumPy, rounded to its precision."""
    lists = draw_lists(dtype)
    arguments = [[values] for values in lists]
    check("statistics", "sum", arguments, [values.sum() for values in lists])
    check("statistics", "computeMedian", arguments, [np.median(values) for values in lists])


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="ranks in float32")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_percentiles(dtype):
    lists = draw_lists(dtype)
    for percentage in (3, 97, 99.5, 100):
        arguments = [[values, percentage] for values in lists]
        expected = [np.percentile(values, percentage) for values in lists]
        check("statistics", "computePercentile", arguments, expected)
        arguments = [[values, percentage, True] for values in lists]
        expected = [np.percentile(values, [percentage])[0] for values in lists]
        check("statistics", "computePercentile", arguments, expected)


def test_round_half_even():
    values = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, 2.6, -2.6, 3.0]
    check("statistics", "roundHalfEven", [[value] for value in values], map(round, values))


def test_threshold():
    planes = [RANDOM.random(900).astype(np.float32) ** power for power in (0.5, 1, 4)]
    planes += [np.eye(3, dtype=np.float32).ravel(), planes[0] - 0.5]
    check("ink", "computeThreshold", [[plane] for plane in planes], map(compute_threshold, planes))


def test_least_squares():
    """Also of fewer equations than unknowns, with the shortest solution."""
    script = """
        import {solveSymmetric} from "#page/preparation/least-squares.js";
        answer(argument.map(([matrix, values]) => Array.from(
          solveSymmetric(matrix.map((row) => Float64Array.from(row)), values, 1e-9),
        )));
    """
    terms = [RANDOM.normal(0, 1, (count, 6)) for count in (50, 6, 3, 1)]
    systems = [(each.T @ each, each.T @ RANDOM.normal(0, 1, len(each))) for each in terms]
    sent = [[matrix.tolist(), values.tolist()] for matrix, values in systems]
    for solution, (matrix, values) in zip(run_script(script, sent), systems, strict=True):
        expected = np.linalg.lstsq(matrix, values, rcond=1e-9)[0]
        np.testing.assert_allclose(solution, expected, rtol=1e-7, atol=1e-10)


SIZES = [(20, 13), (40, 7), (64, 64), (5, 90)]


@pytest.mark.skipif(int(PIL.__version__.split(".")[0]) < 13, reason="other order of the passes")
@pytest.mark.parametrize("method", ["box", "bilinear", "bicubic"])
def test_resize(method):
    filter_ = Image.Resampling[method.upper()]
    planes = [*FLOATS[3:], RANDOM.normal(0, 1, (136, 17)).astype(np.float32)]
    arguments, expected = [], []
    for plane in planes:
        for height, width in SIZES:
            arguments.append([plane, height, width, method])
            expected.append(Image.fromarray(plane).resize((width, height), filter_))
    check("resize", "resizeFloats", arguments, map(np.asarray, expected))
    arguments, expected = [], []
    for plane in planes:
        image = np.clip(plane, 0, 255).astype(np.uint8)
        part = {"top": 0.3, "left": 1.25, "bottom": image.shape[0] - 0.7, "right": 6.1}
        box = tuple(part[side] for side in ("left", "top", "right", "bottom"))
        for height, width in SIZES:
            arguments += [
                [encode(image) | {"channels": 1}, height, width, method, each]
                for each in (None, part)
            ]
            expected += [
                Image.fromarray(image).resize((width, height), filter_, each)
                for each in (None, box)
            ]
    check("resize", "resizeBytes", arguments, map(np.asarray, expected))
