"""How the page fits screens and people: sizes, contrast, names for screen readers, no request."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import lenet_tf
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.inference.page.example_images import choose_examples, make_no_examples
from lenet_tf.inference.page.page_builder import collect_page_data, render_page
from lenet_tf.inference.page.page_networks import PageNetwork
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.trained_network import to_trained_network
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.network import Origin
from lenet_tf.pretrained.numpy_forward import compute_outputs

HACK = "globalThis.hacked = 1"
MARKUP = f"<img src=x onerror='{HACK}'>"
WIDTHS = [1440, 1024, 390]
MODES = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
# With a test image, a chosen unit of a convolution, and everything unfolded.
FILL = """
async (language) => {
  const {store, content: {examples: {images, labels, numbers}}} = await lenetPage;
  const [, height, width, channels] = images.shape, size = height * width * channels;
  store.set({
    language,
    image: {height, width, channels, pixels: images.values.slice(9 * size, 10 * size)},
    origin: {kind: "example", label: labels[9], number: numbers[9], error: null},
    selection: {layer: 3, unit: 40},
  });
  for (const details of document.querySelectorAll("details")) details.open = true;
  await new Promise((resolve) => setTimeout(resolve, 300));
}
"""
# Texts that are shown smaller than 12 pixels; text in SVG is scaled with its picture.
FIND_SMALL_TEXTS = """
() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), small = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !parent.getClientRects().length) continue;
    if (parent.closest("script, style, noscript, .visually-hidden")) continue;
    const scale = parent.ownerSVGElement ? parent.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
    if (size < 11.99) small.push(`${size.toFixed(1)}: ${node.data.trim().slice(0, 40)}`);
  }
  return small;
}
"""
# Things to press that are smaller than 24 pixels. Links in sentences may be.
FIND_SMALL_TARGETS = """
() => [...document.querySelectorAll("button, select, summary, input, [tabindex='0']")]
  .filter((element) => !element.matches(".visually-hidden, .skip") && element.checkVisibility())
  .map((element) => (element.type === "checkbox" && element.closest("label")) || element)
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, {width, height}]) => width && Math.min(width, height) < 23.99)
  .map(([{tagName, id}, {width, height}]) => `${tagName} ${id} ${width} x ${height}`)
"""
# Names of classes that cover the numbers beside them.
FIND_COVERED = """
() => [...document.querySelectorAll("#trials-answers tbody tr")].filter((row) => {
  const [name, number] = row.cells;
  const range = document.createRange();
  range.selectNodeContents(name);
  return range.getBoundingClientRect().right > number.getBoundingClientRect().left + 1;
}).length
"""


@pytest.fixture
def fill_page(open_page, preset_page):
    """Opens the page of presets with something to see in each part."""

    def open_filled(width: int, scheme: str = "light", language: str = "en"):
        page = open_page(preset_page, width, color_scheme=scheme)
        page.evaluate(FILL, language)
        return page

    return open_filled


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_or_is_too_small(fill_page, width, language):
    page = fill_page(width, language=language)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(FIND_SMALL_TEXTS) == []
    assert page.evaluate(FIND_SMALL_TARGETS) == []


@pytest.mark.parametrize(("width", "scheme"), MODES)
def test_axe_finds_no_fault(fill_page, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = fill_page(width, scheme)
    faults = [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for fault in Axe().run(page).response["violations"]
        for node in fault["nodes"]
    ]
    assert faults == []


def test_the_page_names_no_server(preset_page):
    """Addresses stand in texts and links only: nothing is loaded, and nothing can be."""
    text = preset_page.read_text("utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert not {"connect-src", "font-src", "frame-src", "media-src", "worker-src"} & rules.keys()
    assert not re.findall("https?:", policy)
    assert re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*\"", text) == []
    (styles,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert not re.findall(r"url\((?!\"?data:)|@import", styles)


def test_the_policy_stops_requests(browser, preset_page):
    page = browser.new_page()
    page.goto(preset_page.as_uri())
    blocked = page.evaluate(
        "fetch('https://example.org/').then(() => 'sent', (error) => error.constructor.name)"
    )
    page.close()
    assert blocked == "TypeError"


def test_names_of_strangers_are_text_and_colors_are_shown(open_page, tmp_path):
    """Folders of runs, classes and data sets may hold markup."""
    names = (MARKUP, f"</script><script>{HACK}</script>", "<!-- ${globalThis.hacked = 1}")
    colors = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), np.uint8)
    labels = np.arange(30) % 3
    data = lenet_tf.RawData(colors, labels, colors, labels, name=MARKUP, class_names=names)
    trained = replace(
        to_trained_network(LeNet("lenet5-color", num_classes=3, seed=0)),
        class_names=names,
        image_shape=(32, 32, 3),
        origin=Origin(data=MARKUP, test_images=30, test_errors=20),
    )
    network = PageNetwork(MARKUP, trained, {"source": "pictures"})
    content = collect_page_data([network], choose_examples(data, [network]), print)
    path = tmp_path / "page.html"
    path.write_text(render_page(content, f"</title>{MARKUP}"), "utf-8")
    page = open_page(path)
    for language in ("en", "ko"):
        page.evaluate(FILL, language)
        assert page.evaluate(FIND_COVERED) == 0
    assert page.title() == f"</title>{MARKUP}"
    assert page.evaluate("globalThis.hacked ?? null") is None
    assert page.locator("img").count() == 0 and page.locator("main script").count() == 0
    assert page.locator("#networks").inner_text().count(MARKUP) >= 1
    probabilities = page.evaluate(
        "lenetPage.then(({store: {state}}) => Array.from(state.probabilities))"
    )
    layers, image = fold(trained), colors[content["examples"]["numbers"][9]]
    outputs = compute_outputs(layers, prepare_images(image[None], trained.spec.preparation))
    np.testing.assert_allclose(probabilities, outputs[0], atol=1e-5)
    for name in names:
        assert name in page.locator("main").inner_text()


def test_a_page_without_test_images(open_page, tmp_path):
    network = PageNetwork("mine", to_trained_network(LeNet("lenet5", seed=0)))
    content = collect_page_data([network], make_no_examples((28, 28, 1)), print)
    path = tmp_path / "page.html"
    path.write_text(render_page(content, "mine"), "utf-8")
    page = open_page(path)
    assert page.locator("#networks").inner_text().count("mine") >= 1


def test_gray_photographs_are_shown_as_they_are(open_page, tmp_path):
    """Ink is dark on light, but a bright sky stays bright."""
    quarters = np.array([[0, 100], [200, 255]], np.uint8)
    images = np.stack([quarters.repeat(14, 0).repeat(14, 1)] * 20)
    labels = np.arange(20) % 10
    data = lenet_tf.RawData(images, labels, images, labels, name="photos", source="pictures")
    network = PageNetwork("mine", to_trained_network(LeNet("lenet5", seed=0)))
    for source, expected in (("pictures", [0, 100, 200, 255]), ("file", [255, 161, 68, 16])):
        shown = replace(network, data={"source": source})
        content = collect_page_data([shown], choose_examples(data, [shown]), print)
        path = tmp_path / f"{source}.html"
        path.write_text(render_page(content, "mine"), "utf-8")
        page = open_page(path, color_scheme="light")
        page.evaluate(FILL, "en")
        pixels = page.evaluate(
            """async () => {
              const canvas = document.querySelector("#seen-image");
              const {data} = canvas.getContext("2d").getImageData(0, 0, 28, 28);
              return [[0, 0], [0, 20], [20, 0], [20, 20]].map(([y, x]) => data[4 * (28 * y + x)]);
            }"""
        )
        assert pixels == expected
