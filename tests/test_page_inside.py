"""The page's view inside a network, in Chromium, against NumPy's values of every layer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from node import run_script
from scipy import special

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.data.sources.sample import load_sample
from lenet_tf.inference.page.example_images import choose_examples
from lenet_tf.inference.page.page_builder import collect_page_data, render_page
from lenet_tf.inference.page.page_networks import PageNetwork
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.network import TrainedNetwork, get_weight_shapes
from lenet_tf.pretrained.numpy_forward import apply_layer
from lenet_tf.specs import (
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    GlobalAveragePooling,
    Input,
    Pooling,
    Preparation,
    Spec,
)

NETWORKS = ["lenet5-1998-mnist", "lenet5-mnist", "lenet5-modern-mnist"]
# The test image that the tests look at: an 8.
EXAMPLE = 84

_PREPARE = """
async () => {
  const {store, content: {examples: {images: {shape: [, height, width], values}}}} =
    await lenetPage;
  // What the marks of misread images add to the page must not move it while a test points.
  for (const details of document.querySelectorAll(".example-choice")) details.open = false;
  window.frame = () => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(done)));
  const size = height * width;
  window.pick = (number) => {
    const pixels = values.slice(number * size, (number + 1) * size);
    store.set({image: {height, width, channels: 1, pixels}});
    return Array.from(pixels);
  };
  window.erase = () => store.set({image: createEmpty()});
  window.use = (number) => store.set({network: store.networks[number], selection: null});
  window.find = (name) => store.state.network.layers.findIndex((layer) => layer.name === name);
  window.select = async (name, unit) => {
    store.set({selection: {layer: find(name), unit}});
    await frame();
  };
  const createEmpty = () => ({height, width, channels: 1, pixels: new Uint8Array(size)});
  window.selected = () => store.state.selection;
}
"""


class Inside:
    """A page and what NumPy computes of its image."""

    def __init__(self, page, networks: Sequence[str | TrainedNetwork] = NETWORKS):
        self.page = page
        self.networks = networks
        page.evaluate(_PREPARE)
        self.use(0)

    def use(self, number: int) -> None:
        """Show a network and the test image."""
        self.page.evaluate("number => use(number)", number)
        pixels = self.page.evaluate("number => pick(number)", EXAMPLE)
        network = self.networks[number]
        trained = read_any(network) if isinstance(network, str) else network
        raw = np.array(pixels, np.uint8).reshape(1, 28, 28)
        values = np.asarray(prepare_images(raw, trained.spec.preparation.for_test_images))
        self.trained = trained
        self.values = {"INPUT": values[0]}
        for layer in fold(trained):
            values = apply_layer(layer, values)
            self.values[layer.name] = values[0]
        self.wait()

    def wait(self) -> None:
        """Wait until the view has been painted."""
        self.page.evaluate("frame()")

    def hover(self, layer: str, place: tuple[int, ...]) -> None:
        """Point at (row, column, map) of a layer's maps in the figure, or at (unit,)."""
        picture, position = self.locate(layer, place)
        picture.hover(position=position)
        self.wait()

    def locate(self, layer: str, place: tuple[int, ...]) -> tuple[Any, dict[str, float]]:
        """Return the picture of a map, and where a unit is in it."""
        row, column, map_ = place if len(place) == 3 else (None, place[0], 0)
        picture = self.page.locator(f'[data-layer="{layer}"] .picture').nth(map_)
        box = picture.bounding_box()
        width, height = picture.evaluate("({children: [canvas]}) => [canvas.width, canvas.height]")
        if row is None:
            row, column = divmod(column, width)
        x, y = (column + 0.5) * box["width"] / width, (row + 0.5) * box["height"] / height
        return picture, {"x": x, "y": y}

    @property
    def value(self) -> float:
        """The value that the panel shows."""
        return read_numbers(self.page.locator(".unit-value").inner_text())[-1]

    @property
    def formulas(self) -> list[str]:
        """The steps of the sum."""
        return self.page.locator(".formulas li").all_inner_texts()

    def read_grids(self) -> list[list[float]]:
        """Return the numbers of the large grids: window, kernel, products."""
        return [
            read_numbers(text.replace("\n", " "))
            for text in self.page.locator(".value-grid").all_inner_texts()
        ]


def read_numbers(text: str) -> list[float]:
    """Return all numbers of a text, with the minus sign of typographers."""
    found = re.findall(r"[−-]?\s?\d[\d,]*(?:\.\d+)?(?:e[−-]?\d+)?", text)
    return [float(re.sub(r"[\s,]", "", each).replace("−", "-")) for each in found]


def read_sum(formula: str) -> tuple[list[float], float]:
    """Return the terms of a sum such as `z = 1.2 − 0.5 ≈ 0.7`, and its result."""
    left, result = re.split("[:=] ", formula)[-1].split("≈")
    return read_numbers(left), read_numbers(result)[0]


@pytest.fixture
def inside(open_page, preset_page) -> Inside:
    return Inside(open_page(preset_page))


CASES = [
    (0, "C1", (3, 16, 0)),
    (0, "S2", (5, 6, 4)),
    (0, "C3", (4, 5, 6)),
    (0, "S4", (2, 3, 15)),
    (0, "C5", (37,)),
    (0, "F6", (45,)),
    (1, "C1", (0, 1, 2)),
    (1, "S2", (6, 7, 3)),
    (1, "C5", (100,)),
    (1, "F6", (83,)),
    (2, "S4", (1, 2, 9)),
]


def test_a_hovered_unit_shows_the_value_that_numpy_computes(inside):
    shown = 0
    for network, layer, place in sorted(CASES):
        if network != shown:
            inside.use(network)
            shown = network
        inside.hover(layer, place)
        expected = float(np.squeeze(inside.values[layer])[place])
        assert inside.value == pytest.approx(expected, abs=6e-4), layer
        assert read_numbers(inside.formulas[-1])[-1] == pytest.approx(inside.value, abs=1e-3)


def test_the_sum_of_a_convolution_adds_up_as_shown(inside):
    inside.hover("C1", (3, 16, 0))
    kernel, bias = inside.trained.weights["C1"]
    window, weights, products = inside.read_grids()
    expected = inside.values["INPUT"][3:8, 16:21, 0]
    np.testing.assert_allclose(window, expected.ravel(), atol=6e-4)
    np.testing.assert_allclose(weights, kernel[:, :, 0, 0].ravel(), atol=6e-4)
    np.testing.assert_allclose(products, (expected * kernel[:, :, 0, 0]).ravel(), atol=6e-4)
    terms, result = read_sum(inside.formulas[0])
    assert sum(terms) == pytest.approx(result, abs=2e-3)
    assert terms[0] == pytest.approx(sum(products), abs=25 * 5e-4)
    assert terms[1] == pytest.approx(float(bias[0]), abs=6e-4)


def test_a_table_convolution_sums_the_maps_of_its_table(inside):
    inside.hover("C3", (4, 5, 6))
    names = inside.page.locator(".tile-name").all_inner_texts()
    assert names == [f"S2 map {number}" for number in (0, 1, 2, 3)]
    kernels, _ = inside.trained.weights["C3"]
    first = sum(len(maps) for maps in inside.trained.spec.rows[3].table[:6])
    windows = inside.values["S2"][4:9, 5:10]
    expected = [float((windows[..., i] * kernels[first + i]).sum()) for i in range(4)]
    terms, result = read_sum(inside.formulas[0])
    np.testing.assert_allclose(terms, expected, atol=1e-3)
    assert sum(terms) == pytest.approx(result, abs=3e-3)
    inside.page.locator(".tile").nth(2).click()
    np.testing.assert_allclose(inside.read_grids()[1], kernels[first + 2].ravel(), atol=6e-4)


def test_subsampling_shows_its_coefficient_and_its_bias(inside):
    inside.hover("S2", (5, 6, 4))
    coefficients, biases = inside.trained.weights["S2"]
    window = inside.values["C1"][10:12, 12:14, 4]
    np.testing.assert_allclose(inside.read_grids()[0], window.ravel(), atol=6e-4)
    coefficient, total, bias, z = read_numbers(inside.formulas[1])[-4:]
    assert coefficient == pytest.approx(float(coefficients[4]), abs=6e-4)
    assert total == pytest.approx(float(window.sum()), abs=1e-3)
    assert bias == pytest.approx(float(biases[4]), abs=6e-4)
    assert coefficient * total + bias == pytest.approx(z, abs=1e-2)


def test_max_pooling_marks_the_largest_value(inside):
    inside.use(2)
    window = inside.values["C1"][12:14, 14:16, 1]
    inside.hover("S2", (6, 7, 1))
    cells = inside.page.locator(".value-grid span")
    marked = [i for i in range(4) if "marked" in (cells.nth(i).get_attribute("class") or "")]
    assert marked == [int(window.argmax())]
    assert inside.value == pytest.approx(float(window.max()), abs=6e-4)


def test_dense_units_list_their_largest_products_and_all_of_them(inside):
    inside.use(1)
    inside.hover("C5", (100,))
    kernel, bias = inside.trained.weights["C5"]
    products = inside.values["S4"].ravel() * kernel[:, 100]
    table = inside.page.locator(".sum-table").first
    rows = [read_numbers(text)[-1] for text in table.locator("tbody tr").all_inner_texts()]
    largest = sorted(products, key=abs, reverse=True)[:6]
    np.testing.assert_allclose(rows[:6], largest, atol=1e-3)
    assert rows[7] == pytest.approx(float(bias[100]), abs=1e-3)
    assert sum(rows[:8]) == pytest.approx(rows[8], abs=8e-3)
    inside.page.locator(".all-terms summary").click()
    inside.wait()
    every = inside.page.locator(".all-terms tbody tr")
    assert every.count() == 400
    # Position 150 of 5×5×16 values: row 1, column 4, map 6.
    assert every.nth(150).locator("th").inner_text() == "S4, map 6, row 1, column 4"
    shown = read_numbers(every.nth(150).locator("td").nth(2).inner_text())[0]
    assert shown == pytest.approx(float(products[150]), abs=1e-5)
    inside.hover("F6", (3,))
    assert every.count() == 120


def test_the_softmax_is_written_out(inside):
    inside.use(1)
    inside.hover("OUTPUT", (3,))
    kernel, bias = inside.trained.weights["OUTPUT"]
    z = inside.values["F6"] @ kernel + bias
    table = inside.page.locator(".sum-table").nth(1)
    rows = [read_numbers(text)[1:] for text in table.locator("tbody tr").all_inner_texts()[:10]]
    shares = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    np.testing.assert_allclose([row[0] for row in rows], z, atol=1e-2)
    np.testing.assert_allclose([row[2] for row in rows], shares, atol=1e-4)
    assert table.locator("[aria-current]").inner_text().startswith("3")


def test_rbf_units_show_their_distance_from_each_code(inside):
    distances = -inside.values["OUTPUT"]
    shown = [float(text) for text in inside.page.locator(".distance").all_inner_texts()]
    np.testing.assert_allclose(shown, distances, atol=0.1)
    nearest = inside.page.locator(".code.is-nearest")
    assert nearest.inner_text().split()[0] == str(distances.argmin())
    assert "nearest" in nearest.inner_text()
    inside.hover("OUTPUT", (8,))
    assert read_numbers(inside.formulas[0])[-1] == pytest.approx(distances[8], rel=1e-3, abs=1e-3)
    # The probabilities are the softmax of the distances' negatives.
    table = inside.page.locator(".sum-table").nth(1)
    rows = [read_numbers(text)[1:] for text in table.locator("tbody tr").all_inner_texts()[:10]]
    expected = special.softmax(-distances.astype(float))
    np.testing.assert_allclose([row[0] for row in rows], -distances, atol=6e-4)
    np.testing.assert_allclose([row[2] for row in rows], expected, rtol=1e-3)
    # Its cell is the palest of all, so the answer is marked beside it.
    answer = inside.page.locator(".classes .is-answer").all_inner_texts()
    assert answer == [str(distances.argmin())]


def test_the_layers_add_up_to_the_numbers_of_the_paper(inside):
    total = inside.page.locator(".total-counts")
    assert not total.is_visible()
    inside.page.get_by_role("button", name="Parameters and connections").click()
    assert read_numbers(total.inner_text()) == [60_000, 340_908]
    counts = inside.page.locator(".layer .counts").all_inner_texts()
    assert [read_numbers(text.replace("\n", " ")) for text in counts] == [
        [],
        [156, 122_304],
        [12, 5880],
        [1516, 151_600],
        [32, 2000],
        [48_120, 48_120],
        [10_164, 10_164],
        [0, 840],
    ]


def _measure_mark(page, selector: str, layer: str, map_: int = 0) -> list[float]:
    """Return top, left, bottom, right of an outline in units of a map."""
    return (
        page.locator(f'[data-layer="{layer}"] .picture')
        .nth(map_)
        .evaluate(
            """(picture, selector) => {
          const canvas = picture.querySelector("canvas"), area = picture.getBoundingClientRect();
          const mark = picture.querySelector(selector).getBoundingClientRect();
          const unit = area.width / canvas.width;
          return [mark.top - area.top, mark.left - area.left,
            mark.bottom - area.top, mark.right - area.left].map((side) => side / unit);
        }""",
            selector,
        )
    )


def test_outlines_show_what_a_unit_sees(inside):
    # C3: 5×5 units of S2 from (4, 5), which is every second pixel; each sees 6 of the input.
    inside.hover("C3", (4, 5, 6))
    assert _measure_mark(inside.page, ".field-mark", "INPUT") == pytest.approx([8, 10, 22, 24])
    assert _measure_mark(inside.page, ".unit-mark", "C3", 6) == pytest.approx([4, 5, 5, 6])
    lit = inside.page.locator('[data-layer="S2"] .map-button')
    assert [_is_lit(lit.nth(i)) for i in range(6)] == [True] * 4 + [False] * 2
    window = inside.page.locator('[data-layer="S2"] .picture').first.evaluate(
        """(picture) => {
          const {top, left, height, width} = getComputedStyle(picture, "::after");
          const unit = picture.getBoundingClientRect().width / 14;
          return [top, left, height, width].map((side) => parseFloat(side) / unit);
        }"""
    )
    assert window == pytest.approx([4, 5, 5, 5], abs=0.01)
    seen = inside.page.locator(".input-figure figcaption").inner_text()
    assert read_numbers(seen.replace("–", " ")) == [8, 21, 10, 23, 14, 14]


def test_the_connection_table_lights_up_and_selects(inside):
    cells = inside.page.locator(".connection-table tbody tr")
    inside.page.evaluate("select('C3', 6)")
    columns = [
        [i for i, cell in enumerate(cells.nth(row).locator("td").all()) if _is_lit(cell)]
        for row in range(6)
    ]
    assert columns == [[6]] * 6
    inside.page.evaluate("select('S2', 4)")
    assert [_is_lit(cells.nth(4).locator("td").nth(i)) for i in range(16)] == [True] * 16
    cells.nth(3).locator("td").nth(9).click()
    inside.wait()
    assert inside.page.evaluate("selected()")["unit"] % 16 == 9
    # C3's map 9 takes the maps 0, 3, 4 and 5: the kernel of map 3 is shown large.
    shown = inside.page.locator(".tile[aria-pressed=true]")
    assert shown.inner_text().startswith("S2 map 3")
    cells.nth(5).locator("td").nth(9).click()
    inside.wait()
    assert shown.inner_text().startswith("S2 map 5")
    texts = [cells.nth(row).inner_text().split("\t")[1:] for row in range(6)]
    table = inside.trained.spec.rows[3].table
    assert [[text.strip() == "X" for text in row] for row in texts] == [
        [row in maps for maps in table] for row in range(6)
    ]


def _is_lit(cell) -> bool:
    return "lit" in (cell.get_attribute("class") or "")


def test_keys_move_through_maps_and_units(inside):
    page = inside.page
    page.locator('[data-layer="C1"] .map-button').first.focus()
    inside.wait()
    assert page.locator(".unit-value").inner_text().startswith("C1, map 0, row 14, column 14")
    page.keyboard.press("ArrowRight")
    inside.wait()
    # The unit in the middle of 28×28, of map 1 of 6.
    assert page.evaluate("selected()") == {"layer": 1, "unit": (14 * 28 + 14) * 6 + 1}
    page.keyboard.press("Enter")
    inside.wait()
    assert page.evaluate("document.activeElement.classList.contains('large')")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    inside.wait()
    assert page.evaluate("selected()") == {"layer": 1, "unit": (13 * 28 + 15) * 6 + 1}
    spoken = page.locator("#inside [role=status]").inner_text()
    assert spoken.startswith("C1, map 1, row 13, column 15")
    assert read_numbers(spoken)[-1] == pytest.approx(
        float(inside.values["C1"][13, 15, 1]), abs=6e-4
    )
    page.locator('[data-layer="F6"] .map-button').focus()
    page.keyboard.press("ArrowDown")
    inside.wait()
    assert page.evaluate("selected()") == {"layer": 7, "unit": 42 + 7}
    page.keyboard.press("Escape")
    assert page.evaluate("selected()") is None


def test_a_click_keeps_a_unit_and_pointing_shows_others_for_a_while(inside):
    picture, position = inside.locate("S2", (3, 4, 2))
    picture.click(position=position)
    chosen = {"layer": 2, "unit": (3 * 14 + 4) * 6 + 2}
    assert inside.page.evaluate("selected()") == chosen
    inside.hover("C3", (0, 0, 0))
    assert "C3" in inside.page.locator(".unit-value").inner_text()
    inside.page.mouse.move(5, 5)
    inside.wait()
    assert inside.page.locator(".unit-value").inner_text().startswith("S2, map 2, row 3, column 4")
    assert inside.page.evaluate("selected()") == chosen


def test_a_tap_selects_a_unit(open_page, preset_page):
    inside = Inside(open_page(preset_page, 390, has_touch=True))
    assert inside.page.locator(".inside-hint").inner_text().startswith("Tap any unit")
    picture, position = inside.locate("C3", (4, 5, 6))
    picture.tap(position=position)
    inside.wait()
    assert inside.page.evaluate("selected()") == {"layer": 3, "unit": (4 * 10 + 5) * 16 + 6}
    assert inside.value == pytest.approx(float(inside.values["C3"][4, 5, 6]), abs=6e-4)
    assert inside.page.evaluate("document.documentElement.scrollWidth") == 390


def test_maps_are_calm_while_nothing_is_drawn(open_page, preset_page):
    inside = Inside(open_page(preset_page))
    page = inside.page
    page.evaluate("erase()")
    inside.wait()
    colors = page.evaluate(
        """[...document.querySelectorAll("#inside .maps canvas")].map((canvas) => {
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        })"""
    )
    assert len(colors) == 1 + 6 + 6 + 16 + 16 + 3
    assert set(colors) == {1}
    hint = page.locator(".inside-hint")
    assert "Draw a digit" in hint.inner_text()
    page.evaluate(
        "lenetPage.then(({store}) => store.set({network: {...store.state.network, "
        "pictureInput: 'picture'}}))"
    )
    inside.wait()
    assert "Draw or open a picture" in hint.inner_text()


def test_another_network_and_language_are_shown(inside):
    labels = inside.page.locator(".layer .label strong").all_inner_texts()
    assert labels == ["INPUT", "C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT"]
    assert inside.page.locator(".codes").count() == 1
    inside.use(1)
    assert inside.page.locator(".codes, .connection-table").count() == 0
    assert "average pooling 2×2" in " ".join(
        inside.page.locator(".flow").all_inner_texts()
    ).replace("\n", " ")
    inside.page.evaluate("lenetPage.then(({store}) => store.set({language: 'ko'}))")
    assert "특징 맵" in inside.page.locator('[data-layer="C1"] .label').inner_text()
    inside.page.get_by_role("button", name="파라미터와 연결 수").click()
    inside.wait()
    counts = inside.page.locator('[data-layer="C3"] .counts').inner_text()
    assert read_numbers(counts) == [2416, 241_600]
    tops = inside.page.evaluate(
        "[...document.querySelectorAll('.layer')].map((layer) => layer.offsetTop)"
    )
    assert len(set(tops)) == 1


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_layers_are_drawn_to_one_scale_and_fit(open_page, preset_page, width):
    page = open_page(preset_page, width)
    scales = page.evaluate(
        """[...document.querySelectorAll(".layer:not(.strip) .picture")].map((picture) =>
          picture.getBoundingClientRect().width / picture.firstChild.width)"""
    )
    assert len(scales) == 1 + 6 + 6 + 16 + 16
    assert max(scales) == pytest.approx(min(scales), rel=1e-3)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tops = page.evaluate("[...document.querySelectorAll('.layer')].map((layer) => layer.offsetTop)")
    assert (len(set(tops)) == 1) == (width == 1440)
    sizes = page.evaluate(
        """[...document.querySelectorAll("#inside *")]
          .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3))
          .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
    )
    assert min(sizes) >= 12


def test_places_and_units_belong_together():
    result = run_script(
        """
        import {findUnit, layOut, locate} from "#page/views/inside/layout.js";
        const shapes = [[28, 28, 6], [32, 32, 3], [1, 1, 120], [84], [10], [97], [5, 5, 16]];
        const network = {layers: shapes.map((outputShape, index) =>
          ({index, outputShape, kind: index === 1 ? "input" : "dense"}))};
        answer(shapes.map((shape, index) => {
          const layout = layOut(network, index);
          const wrong = Array.from({length: layout.count}, (_, unit) => unit).filter((unit) => {
            const {map, row, column} = locate(layout, unit);
            const found = findUnit(layout, map, row, column);
            return found !== unit - (layout.channels > 1 ? unit % 3 : 0);
          });
          return [wrong.length, layout.maps, layout.height, layout.width];
        }));
        """
    )
    assert result == [
        [0, 6, 28, 28],
        [0, 1, 32, 32],
        [0, 1, 12, 10],
        [0, 1, 12, 7],
        [0, 1, 5, 2],
        [0, 1, 10, 10],
        [0, 16, 5, 5],
    ]


def test_sums_are_written_with_numbers_that_add_up():
    values = [12.7749, -0.6058, 0.00012, -1e-9]
    shown = run_script(
        """
        import {countSumDecimals, formatFixed, formatSum, splitLargest}
          from "#page/views/inside/numbers.js";
        const decimals = countSumDecimals(argument);
        const {largest, others, rest} = splitLargest(argument.map((amount) => ({amount})), 2);
        answer([formatSum(argument, decimals), formatFixed(-1e-9, 3), others.length, rest,
          largest.map(({amount}) => amount)]);
        """,
        values,
    )
    assert shown == ["12.775 − 0.606 + 0.000 + 0.000", "0.000", 2, 0.00012 - 1e-9, values[:2]]


def test_sums_whose_terms_cancel_keep_their_digits():
    """A z of −0.004 is written with enough digits to compute it, and the output, by hand."""
    window, coefficient, bias = [-0.3744922] * 4, 0.2485681, 0.3682812
    z = coefficient * sum(window) + bias
    output = 1.7159 * np.tanh(2 / 3 * z)
    cells = [{"input": i, "value": value} for i, value in enumerate(window)]
    explanation = {
        "kind": "subsampling",
        "coefficient": coefficient,
        "bias": bias,
        "sum": z,
        "activation": "scaled_tanh",
        "output": output,
    }
    lines = run_script(
        """
        import {writeFormulas} from "#page/views/inside/formulas.js";
        const [explanation, cells] = argument;
        const normalization = explanation.activation;
        answer(writeFormulas(explanation, [{cells}], normalization));
        """,
        [explanation, cells],
    )
    terms, total = read_sum(lines[0])
    assert sum(terms) == pytest.approx(total, abs=2e-6)
    factor, value, offset, result = read_numbers(lines[1])[-4:]
    assert value == total
    assert factor * value + offset == pytest.approx(result, rel=1e-3)
    assert result == pytest.approx(z, rel=2e-4)
    assert "× (−1.49" in lines[1]
    assert "(−0.00" in lines[2]
    assert 1.7159 * np.tanh(2 / 3 * result) == pytest.approx(read_numbers(lines[2])[-1], rel=1e-3)
    assert read_numbers(lines[2])[-1] == pytest.approx(output, rel=2e-4)


@pytest.mark.parametrize("normalization", ["unit", "unit_twice", "lecun1998"])
def test_the_value_of_a_pixel_can_be_computed_by_hand(normalization):
    pixels = np.array([[0, 1, 124, 255]], np.uint8)
    values = prepare_images(pixels[None], Preparation(normalization=normalization)).ravel()
    lines = run_script(
        """
        import {writeFormulas} from "#page/views/inside/formulas.js";
        const [values, normalization] = argument;
        answer(values.map((output) => writeFormulas({kind: "input", output}, [], normalization)));
        """,
        [values.tolist(), normalization],
    )
    for pixel, value, (line,) in zip(pixels.ravel(), values, lines, strict=True):
        left, right = line.split(": ")[1].split("≈")
        assert left.startswith(f"{pixel} / 255")
        assert eval(left.replace("×", "*").replace("−", "-")) == pytest.approx(value, abs=1e-6)
        assert read_numbers(right)[0] == pytest.approx(value, rel=6e-4, abs=1e-9)


def test_single_numbers_keep_four_digits():
    values = [0, 0.16504, -12.345678, 2.7599e-9, -7.5464e-116, 268.4411]
    shown = run_script(
        """
        import {formatValue} from "#page/views/inside/numbers.js";
        answer(argument.map(formatValue));
        """,
        values,
    )
    assert shown == ["0.000", "0.1650", "−12.35", "2.760e−9", "−7.546e−116", "268.4"]


def test_texts_and_scripts_fit_together():
    """Every text of the view is used, and every text that is used is there."""
    from lenet_tf.inference.page.script_sources import SCRIPTS

    folder = SCRIPTS / "views"
    sources = [folder / "inside.js", *sorted((folder / "inside").glob("*.js"))]
    used = set(re.findall(r'"(inside[A-Z]\w*)"', "".join(p.read_text("utf-8") for p in sources)))
    written = set(re.findall(r"^  (inside\w+):", (SCRIPTS / "texts/inside.js").read_text(), re.M))
    assert used == {key for key in written if not re.match("insidePool_|insideChannel_", key)}


MENU = Spec(
    name="menu",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", 32, kernel=5, stride=2, padding="same", activation="gelu"),
        BatchNormalization("N1"),
        Pooling("S2", pool="stochastic", size=3, stride=2, padding="same"),
        Dropout("D2", rate=0.2),
        Convolution("C3", 12, kernel=3, activation="leaky_relu"),
        Pooling("S4", pool="min"),
        GlobalAveragePooling(),
        Dense("F5", 30, activation="sigmoid"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
)


@pytest.fixture(scope="module")
def menu_page(tmp_path_factory):
    """A page of a network with kinds of rows that the presets don't have, and its layers."""
    random = np.random.default_rng(3)
    spec = MENU
    weights = {
        facts.row.name: tuple(
            random.uniform(0.1, 0.6, shape).astype(np.float32)
            if facts.row.kind == "batch_normalization" or len(shape) == 1
            else random.normal(0, 0.2, shape).astype(np.float32)
            for shape in get_weight_shapes(facts)
        )
        for facts in spec.layers
        if get_weight_shapes(facts)
    }
    network = TrainedNetwork(spec, weights, image_shape=(28, 28))
    page = PageNetwork("menu", network)
    examples = choose_examples(load_sample(), [page])
    path = tmp_path_factory.mktemp("menu") / "page.html"
    path.write_text(render_page(collect_page_data([page], examples, print), "menu"), "utf-8")
    return path, network


def test_every_kind_of_row_is_explained(open_page, menu_page):
    path, network = menu_page
    inside = Inside(open_page(path), [network])
    page = inside.page
    assert page.locator('[data-layer="C1"] .map-button').count() == 32
    notes = page.locator(".flow .note").all_inner_texts()
    assert notes == ["D2: dropout, off after training"]
    for layer, place in [
        ("C1", (0, 13, 31)),
        ("N1", (5, 5, 7)),
        ("S2", (6, 0, 3)),
        ("C3", (2, 1, 11)),
        ("S4", (1, 1, 0)),
        ("GLOBAL", (9,)),
        ("F5", (17,)),
        ("OUTPUT", (4,)),
        ("INPUT", (13, 12, 0)),
    ]:
        inside.hover(layer, place)
        assert layer in page.locator(".unit-value").inner_text()
        values = inside.values[layer].squeeze()
        expected = float(values[place[: values.ndim]])
        assert inside.value == pytest.approx(expected, rel=1e-3, abs=6e-4), layer
        assert read_numbers(inside.formulas[-1])[-1] == pytest.approx(
            expected, rel=1e-3, abs=6e-4
        ), layer
