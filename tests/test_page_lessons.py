"""The arithmetic and the figures of "Learn"."""

from __future__ import annotations

import numpy as np
import pytest
from node import run_script
from scipy import signal

_CORRELATE = """
    import {correlate, countPlaces, findPadding} from "#page/views/lessons/arithmetic.js";
    import {writeFormula} from "#page/views/lessons/convolution.js";
    const [values, kernel, mode, windows, amount] = argument;
    const all = {...windows, ...findPadding(mode, windows, amount)};
    answer([correlate(values, kernel, all), countPlaces(all), writeFormula(all)]);
"""


@pytest.mark.parametrize("mode", ["valid", "same", "amount"])
@pytest.mark.parametrize(
    ("size", "window", "stride"), [(7, 3, 1), (8, 4, 2), (10, 2, 3), (5, 5, 4)]
)
def test_a_kernel_slides_as_in_scipy(size, window, stride, mode):
    random = np.random.default_rng(size)
    values, kernel = random.normal(size=(size, size)), random.normal(size=(window, window))
    if mode == "same":
        # As TensorFlow does: the odd cell is added below and on the right.
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        before, after = total // 2, total - total // 2
    else:
        before = after = 2 if mode == "amount" else 0
    padded = np.pad(values, ((before, after), (before, after)))
    expected = signal.correlate(padded, kernel, mode="valid")[::stride, ::stride]
    windows = {"size": size, "window": window, "stride": stride}
    output, places, formula = run_script(
        _CORRELATE, [values.ravel().tolist(), kernel.ravel().tolist(), mode, windows, 2]
    )
    assert places == len(expected)
    assert formula.endswith(f" = {places}")
    np.testing.assert_allclose(np.reshape(output, expected.shape), expected, atol=1e-12)
    if mode == "same":
        assert places == -(-size // stride)


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 1), (3, 2), (1, 4)])
def test_pictures_are_pooled_as_by_numpy(window, stride):
    values = np.random.default_rng(window).normal(size=(6, 6))
    windows = np.lib.stride_tricks.sliding_window_view(values, (window, window))
    windows = windows[::stride, ::stride]
    axes = (2, 3)
    expected = {
        "max": windows.max(axes),
        "average": windows.mean(axes),
        "min": windows.min(axes),
        "sum": windows.sum(axes),
        "subsampling": 1.7159 * np.tanh(2 / 3 * (0.3 * windows.sum(axes) - 0.2)),
    }
    pooled = run_script(
        """
        import {poolPicture} from "#page/views/lessons/arithmetic.js";
        answer(poolPicture(...argument));
        """,
        [
            values.ravel().tolist(),
            {"size": 6, "window": window, "stride": stride},
            {"coefficient": 0.3, "bias": -0.2},
        ],
    )
    assert pooled.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(np.reshape(pooled[name], values.shape), values, atol=1e-12)


def test_a_window_larger_than_the_picture_has_no_place():
    assert run_script(
        """
            import {countPlaces, correlate} from "#page/views/lessons/arithmetic.js";
            const windows = {size: 3, window: 5, stride: 1};
            answer([countPlaces(windows), correlate(new Array(9).fill(1), new Array(25).fill(1),
              windows).length, countPlaces({size: 3, window: 5, stride: 1, before: 1, after: 1})]);
            """
    ) == [0, 0, 1]


def test_kernels_are_the_well_known_ones():
    kernels = run_script(
        """
        import {createKernel} from "#page/views/lessons/arithmetic.js";
        answer(Object.fromEntries(["identity", "blur", "sharpen", "edge"].map((name) =>
          [name, [1, 2, 3, 4, 5].map((side) => createKernel(name, side))])));
        """
    )
    assert kernels["identity"][2] == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert kernels["sharpen"][2] == [0, -1, 0, -1, 5, -1, 0, -1, 0]
    assert kernels["edge"][2] == [-1, 0, 1] * 3
    assert kernels["edge"][3] == [-1, -1, 1, 1] * 4
    for name in ("identity", "blur", "sharpen"):
        assert [sum(kernel) for kernel in kernels[name]] == pytest.approx([1] * 5)
    assert [sum(kernel) for kernel in kernels["edge"]] == [0] * 5


def test_images_shrink_to_the_means_of_their_pixels():
    image = np.random.default_rng(4).integers(0, 256, (28, 28), dtype=np.uint8)
    shrunk = run_script(
        """
        import {shrinkImage} from "#page/views/lessons/arithmetic.js";
        const pixels = Uint8Array.from(argument);
        answer([shrinkImage({height: 28, width: 28, channels: 1, pixels}, 7),
          shrinkImage({height: 28, width: 28, channels: 1, pixels: new Uint8Array(784)}, 3),
          shrinkImage({height: 2, width: 2, channels: 1, pixels: new Uint8Array(4).fill(9)}, 3)]);
        """,
        image.ravel().tolist(),
    )
    means = image.reshape(7, 4, 7, 4).mean((1, 3))
    np.testing.assert_array_equal(np.reshape(shrunk[0], (7, 7)), np.rint(9 * means / means.max()))
    assert shrunk[1] == [0] * 9
    assert shrunk[2] == [9] * 9


def test_a_kernel_of_the_history_is_read():
    kernels = np.arange(2 * 3 * 3 * 2 * 4, dtype=float).reshape(2, 3, 3, 2, 4)
    values = run_script(
        """
        import {readKernel} from "#page/views/lessons/kernel-history.js";
        answer(readKernel(argument, 1, 3, 1));
        """,
        {"shape": kernels.shape, "values": kernels.ravel().tolist()},
    )
    assert values == kernels[1, :, :, 1, 3].ravel().tolist()


def test_reasons_have_the_numbers_of_each_network():
    from lenet_tf.specs.lookup import get_spec

    def describe(name):
        return {
            "layers": [
                {
                    "name": facts.row.name,
                    "kind": facts.row.kind,
                    "row": facts.row.to_dict(),
                    "inputShape": facts.input_shape,
                    "outputShape": facts.output_shape,
                    "parameters": facts.parameters,
                    "connections": facts.connections,
                    "receptiveField": facts.receptive_field,
                }
                for facts in get_spec(name).layers
            ]
        }

    original, tutorial = run_script(
        """
        import {listReasons} from "#page/views/lessons/reasons.js";
        answer(argument.map((network) => Object.fromEntries(
          listReasons(network).map(({name, key, values}) => [name, {key, ...values}]))));
        """,
        [describe("lenet5-1998"), describe("lenet5")],
    )
    assert original["sharing"] | {"connections": "122,304", "weights": "156"} == original["sharing"]
    assert original["fields"]["lastField"] == "32 × 32"
    assert original["subsampling"]["after"] == "14 × 14"
    # The paper's numbers: 60 of 96 pairs of maps, 1,516 parameters; without the table 96·25 + 16.
    assert original["table"] == {
        "key": "reasonTable",
        "layer": "C3",
        "maps": 6,
        "filters": 16,
        "weights": "1,516",
        "links": 60,
        "all": 96,
        "full": "2,416",
    }
    assert original["output"]["key"] == "reasonCodes"
    assert tutorial["table"]["key"] == "reasonAllMaps"
    assert tutorial["table"]["weights"] == "2,416"
    assert tutorial["output"] == {
        "key": "reasonSoftmax",
        "layer": "OUTPUT",
        "classes": 10,
        "inputs": 84,
    }
