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
                    "index": index,
                    "name": facts.row.name,
                    "kind": facts.row.kind,
                    "row": facts.row.to_dict(),
                    "inputShape": facts.input_shape,
                    "outputShape": facts.output_shape,
                    "parameters": facts.parameters,
                    "connections": facts.connections,
                    "receptiveField": facts.receptive_field,
                }
                for index, facts in enumerate(get_spec(name).layers)
            ]
        }

    original, tutorial = run_script(
        """
        import {listReasons} from "#page/views/lessons/reasons.js";
        answer(argument.map((network) => Object.fromEntries(
          listReasons(network).map(({name, key, layer, values}) =>
            [name, {key, layer: layer.name, ...values}]))));
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
    assert original["activation"] == {"key": "reasonSquashing", "layer": "C1"}
    assert tutorial["activation"]["activation"] == "tanh(z)"
    assert tutorial["output"] == {
        "key": "reasonSoftmax",
        "layer": "OUTPUT",
        "classes": 10,
        "inputs": 84,
    }


def _read_numbers(page, selector: str) -> list[float]:
    """Read the numbers of a table or a formula."""
    texts = page.locator(f"{selector} td").all_inner_texts()
    return [float(text.replace("−", "-")) for text in texts]


def _read_picture(page, selector: str) -> np.ndarray:
    """Read a square of numbers that can be edited."""
    values = page.locator(f"{selector} input").evaluate_all("cells => cells.map((c) => +c.value)")
    side = int(len(values) ** 0.5)
    return np.reshape(values, (side, side))


@pytest.fixture(scope="module")
def write_lessons(tmp_path_factory):
    """A function that writes a page of one network, with what is known of its kernels."""
    from lenet_tf.inference.page.example_images import make_no_examples
    from lenet_tf.inference.page.page_builder import collect_page_data, render_page
    from lenet_tf.inference.page.page_networks import find_networks

    networks = find_networks(["lenet5-mnist"])
    data = collect_page_data(networks, make_no_examples((28, 28, 1)), pytest.fail)

    def write(history):
        path = tmp_path_factory.mktemp("page") / "index.html"
        histories = history and {networks[0].name: history}
        path.write_text(render_page(data | {"kernelHistory": histories}, "LeNet-5"), "utf-8")
        return path

    return write


def test_each_control_of_the_convolution_changes_the_output(open_page, preset_page):
    page = open_page(preset_page)
    formula = page.locator("#convolution-formula")
    assert formula.inner_text() == "⌊(W − F + 2P) / S⌋ + 1 = ⌊(7 − 3 + 2·0) / 1⌋ + 1 = 5"
    # The slider of the padding shows what is in force: none at first.
    assert page.locator("#convolution-amount").input_value() == "0"
    for name, value in {"size": 9, "window": 4, "stride": 2}.items():
        page.locator(f"#convolution-{name}").fill(str(value))
    page.locator("#convolution-filter").select_option("blur")
    page.locator("#convolution-padding").select_option("same")
    assert formula.inner_text() == ("⌊(W − F + P₁ + P₂) / S⌋ + 1 = ⌊(9 − 4 + 1 + 2) / 2⌋ + 1 = 5")
    shown = page.locator("output[for=convolution-amount]")
    assert shown.inner_text() == "1, 2"
    picture = _read_picture(page, "#convolution-picture")
    assert picture.shape == (9, 9)
    padded = np.pad(picture, ((1, 2), (1, 2)))
    expected = signal.correlate(padded, np.full((4, 4), 1 / 16), mode="valid")[::2, ::2]
    output = _read_numbers(page, "#convolution-output")
    np.testing.assert_allclose(output, expected.ravel(), rtol=6e-3)
    page.locator("#convolution-amount").fill("3")
    assert page.locator("#convolution-padding").input_value() == "amount"
    assert shown.inner_text() == "3"
    assert formula.inner_text().endswith("⌊(9 − 4 + 2·3) / 2⌋ + 1 = 6")
    assert len(_read_numbers(page, "#convolution-output")) == 36


def test_the_sum_of_the_window_is_written_out(open_page, preset_page):
    page = open_page(preset_page)
    page.locator("#convolution-size").fill("4")
    page.locator("#convolution-window").fill("2")
    page.locator("#convolution-picture input").nth(5).fill("7")
    page.locator("#convolution-kernel input").nth(3).fill("-0.5")
    assert page.locator("#convolution-filter").input_value() == "custom"
    assert page.locator("#convolution-source").input_value() == "own"
    page.locator("#convolution-place").fill("4")
    picture, kernel = (
        _read_picture(page, f"#convolution-{name}") for name in ("picture", "kernel")
    )
    assert kernel.tolist() == [[-1, 1], [-1, -0.5]]
    expected = signal.correlate(picture, kernel, mode="valid")
    np.testing.assert_allclose(_read_numbers(page, "#convolution-output"), expected.ravel())
    written = page.locator("#convolution-sum").inner_text().replace("−", "-")
    terms, total = written.split(" = ")
    assert float(total) == expected[1, 1]
    products = [
        float(value) * float(weight.strip("()"))
        for value, weight in (term.split("·") for term in terms.split(" + "))
    ]
    assert products == (picture[1:3, 1:3] * kernel).ravel().tolist()
    assert page.locator("#convolution-picture .is-marked").count() == 4
    # The position is stepped, and pressed in the output.
    page.locator("#convolution-place-next").click()
    assert page.locator("#convolution-place").input_value() == "5"
    page.locator("#convolution-output td").nth(8).click()
    assert page.locator("output[for=convolution-place]").inner_text() == "9 / 9"


def test_numbers_that_a_cell_has_no_room_for_are_limited(open_page, preset_page):
    page = open_page(preset_page)
    cell = page.locator("#convolution-picture input").nth(8)
    for typed, kept in [("1000000000", "99"), ("-1e9", "-99"), ("0.25", "0.25")]:
        cell.fill(typed)
        cell.blur()
        assert cell.input_value() == kept
        # The second window takes this cell with the weight −1, and a 9 with 1.
        second = page.locator("#convolution-output td").nth(1).inner_text().replace("−", "-")
        assert float(second) == 9 - float(kept)


def test_a_kernel_that_does_not_fit_has_no_output(open_page, preset_page):
    page = open_page(preset_page)
    page.locator("#convolution-size").fill("3")
    page.locator("#convolution-window").fill("5")
    assert page.locator("#convolution-formula").inner_text().endswith(" = 0")
    for name in ("output", "place"):
        assert not page.locator(f"#convolution-{name}").is_visible()
    assert page.locator("#convolution-sum").inner_text().startswith("The kernel is larger")
    page.locator("#convolution-amount").fill("2")
    assert len(_read_numbers(page, "#convolution-output")) == 9


def test_play_moves_the_window_and_pauses(open_page, preset_page):
    from playwright.sync_api import expect

    page = open_page(preset_page)
    play = page.locator("#convolution-place-play")
    play.click()
    assert play.inner_text() == "Pause"
    expect(page.locator("#convolution-place")).to_have_value("2")
    play.click()
    assert play.inner_text() == "Play"
    place = page.locator("#convolution-place").input_value()
    page.wait_for_timeout(800)
    assert page.locator("#convolution-place").input_value() == place


def test_nothing_plays_with_reduced_motion(open_page, preset_page):
    page = open_page(preset_page, reduced_motion="reduce")
    assert not page.locator("#convolution-place-play").is_visible()
    assert page.locator("#convolution-place-next").is_visible()


def test_the_digit_is_shrunk_for_the_convolution(open_page, preset_page):
    page = open_page(preset_page)
    page.locator("#convolution-source").select_option("digit")
    image = page.evaluate(
        """lenetPage.then(({store, content: {examples: {images}}}) => {
            const pixels = images.values.slice(0, 784);
            store.set({image: {height: 28, width: 28, channels: 1, pixels}});
            return Array.from(pixels);
        })"""
    )
    means = np.reshape(image, (7, 4, 7, 4)).mean((1, 3))
    expected = np.floor(9 * means / means.max() + 0.5)
    np.testing.assert_array_equal(_read_picture(page, "#convolution-picture"), expected)


def test_each_control_of_the_pooling_changes_its_results(open_page, preset_page):
    page = open_page(preset_page)
    for name, value in {"window": 3, "stride": 1, "coefficient": -0.25, "bias": 0.5}.items():
        page.locator(f"#pooling-{name}").fill(str(value))
    page.locator("#pooling-picture input").nth(7).fill("4.5")
    picture = _read_picture(page, "#pooling-picture")
    assert picture[1, 1] == 4.5
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3))
    sums = windows.sum((2, 3))
    expected = {
        "max": windows.max((2, 3)),
        "average": windows.mean((2, 3)),
        "min": windows.min((2, 3)),
        "sum": sums,
        "subsampling": 1.7159 * np.tanh(2 / 3 * (-0.25 * sums + 0.5)),
    }
    for name, values in expected.items():
        shown = _read_numbers(page, f"#pooling-{name}")
        np.testing.assert_allclose(shown, values.ravel(), rtol=6e-3, err_msg=name)
    page.locator("#pooling-place").fill("5")
    formula = page.locator("#pooling-formula").inner_text()
    assert f"sum {sums[1, 1]:g};" in formula


def test_pooling_of_a_map_has_the_trained_coefficient(open_page, preset_page):
    from lenet_tf.pretrained.locate import read_any

    page = open_page(preset_page)
    page.evaluate(
        """lenetPage.then(({store, content: {examples: {images}}}) => store.set({image:
            {height: 28, width: 28, channels: 1, pixels: images.values.slice(0, 784)}}))"""
    )
    page.locator("#pooling-source").select_option("3")
    coefficient, bias = (array[3] for array in read_any("lenet5-1998-mnist").weights["S2"])
    trained = [
        float(page.locator(f"output[for=pooling-{name}]").inner_text().replace("−", "-"))
        for name in ("coefficient", "bias")
    ]
    assert trained == pytest.approx([coefficient, bias], rel=6e-3)
    c1, s2 = (
        np.reshape(values, (side, side, 6))[..., 3]
        for values, side in zip(
            page.evaluate(
                """lenetPage.then(({store: {state: {outputs}}}) =>
                    [Array.from(outputs[1]), Array.from(outputs[2])])"""
            ),
            (28, 14),
            strict=True,
        )
    )
    picture = _read_picture(page, "#pooling-picture")
    np.testing.assert_allclose(picture, c1[10:18, 10:18], rtol=6e-2, atol=1e-6)
    # What is shown as the subsampling of 1998 is what the network's S2 computes.
    shown = np.reshape(_read_numbers(page, "#pooling-subsampling"), (4, 4))
    np.testing.assert_allclose(shown, s2[5:9, 5:9], rtol=6e-3, atol=1e-6)


def test_the_kernels_of_a_run_are_shown_over_its_epochs(open_page, write_lessons):
    from lenet_tf.inference.page.packed_arrays import pack_arrays

    kernels = np.random.default_rng(9).normal(size=(4, 5, 5, 1, 6)).astype(np.float32)
    packed = pack_arrays([kernels])
    page = open_page(write_lessons({"layer": "C1", "epochs": [0, 1, 2, 5], "kernels": packed}))
    page.wait_for_selector("#history-kernel td")
    page.locator("#history-filter").fill("4")
    page.locator("#history-epoch").fill("3")
    assert page.locator("output[for=history-epoch]").inner_text() == "5"
    assert page.locator("#history-kernel caption").inner_text() == "C1, filter 4, after epoch 5"
    shown = _read_numbers(page, "#history-kernel")
    np.testing.assert_allclose(shown, kernels[3, ..., 0, 4].ravel(), rtol=6e-2)
    assert page.locator("#kernel-history polyline").count() == 25
    change = np.sqrt(np.mean((kernels[3, ..., 0, 4] - kernels[0, ..., 0, 4]) ** 2))
    assert f"changed by {change:.3g}" in page.locator("#history-change").inner_text()


def test_a_page_without_a_history_has_no_lesson_on_it(open_page, write_lessons):
    page = open_page(write_lessons(None))
    assert page.locator("#lesson-history").count() == 0
    assert page.locator("#learn section").count() == 3


def test_a_reason_leads_to_its_layer_in_the_figure(open_page, preset_page):
    page = open_page(preset_page)
    page.locator("#reason-table a").click()
    selection = page.evaluate("lenetPage.then(({store: {state}}) => state.selection)")
    # The middle of C3's first map, (5 × 10 + 5) × 16.
    assert selection == {"layer": 3, "unit": 880}
    assert page.url.endswith("#see")
