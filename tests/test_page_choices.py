"""The page's test images, answers, choice of a network, language and theme, in Chromium."""

from __future__ import annotations

import re

import numpy as np
import pytest
from page_pad import draw_digit, draw_line, read_state

import lenet_tf
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.inference.rejection import load_rejector
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.numpy_forward import compute_outputs
from lenet_tf.pretrained.probabilities import to_probabilities

PRESETS = ("lenet5-1998-mnist", "lenet5-mnist", "lenet5-modern-mnist")


def _classify(preset: str, images: np.ndarray) -> np.ndarray:
    """Compute class probabilities of images (N, height, width, 1) in NumPy."""
    network = read_any(preset)
    prepared = prepare_images(images, network.spec.preparation.for_test_images)
    return to_probabilities(network.spec, compute_outputs(fold(network), prepared))


def _read_examples(page) -> dict:
    return page.evaluate("""lenetPage.then(({content: {examples}}) => ({
        labels: examples.labels, numbers: examples.numbers,
        shape: examples.images.shape, values: Array.from(examples.images.values),
    }))""")


def _format(share: float) -> str:
    if share >= 0.9995:
        return ">99.9%"
    return "<0.1%" if share < 0.0005 else f"{100 * share:.1f}%"


def test_each_test_image_is_answered_as_in_numpy(open_page, preset_page):
    page = open_page(preset_page)
    examples = _read_examples(page)
    images = np.array(examples["values"], np.uint8).reshape(examples["shape"])
    buttons = page.locator(".thumbnail")
    assert buttons.count() == len(images) == 100
    # The page starts with a test image, so that it isn't empty.
    assert read_state(page)["origin"]["kind"] == "example"
    answers = page.evaluate("""async () => {
        const {store} = await lenetPage;
        return [...document.querySelectorAll(".thumbnail")].map((button) => {
            button.click();
            const {probabilities, origin} = store.state;
            return {probabilities: Array.from(probabilities), label: origin.label,
                number: origin.number, shown: document.getElementById("answer")?.textContent,
                bars: [...document.querySelectorAll(".bar-share")].map((bar) => bar.textContent)};
        });
    }""")
    expected = _classify(PRESETS[0], images)
    computed = np.array([answer["probabilities"] for answer in answers])
    np.testing.assert_allclose(computed, expected, atol=1e-4)
    assert [answer["label"] for answer in answers] == examples["labels"]
    assert [answer["number"] for answer in answers] == examples["numbers"]
    for answer in answers:
        assert answer["shown"] == str(np.argmax(answer["probabilities"]))
        assert answer["bars"] == [_format(share) for share in answer["probabilities"]]


def test_misread_test_images_are_marked_with_a_sign(open_page, preset_page):
    page = open_page(preset_page)
    examples = _read_examples(page)
    images = np.array(examples["values"], np.uint8).reshape(examples["shape"])
    read = _classify(PRESETS[0], images).argmax(axis=1)
    wrong = np.flatnonzero(read != examples["labels"])
    assert len(wrong)
    page.wait_for_selector(".thumbnail.is-misread")
    marked = page.locator(".thumbnail.is-misread")
    assert marked.evaluate_all("all => all.map(({dataset}) => Number(dataset.example))") == [*wrong]
    assert marked.first.get_attribute("aria-label") == (
        f"Test image {examples['numbers'][wrong[0]]}, label {examples['labels'][wrong[0]]},"
        f" misread as {read[wrong[0]]}"
    )
    marked.first.click()
    verdict = page.locator(".verdict").inner_text()
    assert verdict == f"✗ Wrong: the label is {examples['labels'][wrong[0]]}"
    heading = page.locator("#answer-heading").inner_text()
    assert heading == f"The answer to test image {examples['numbers'][wrong[0]]}"
    label = page.locator(".bars li").nth(examples["labels"][wrong[0]])
    assert "label" in label.inner_text()


def test_test_images_are_reached_by_keyboard(open_page, preset_page):
    page = open_page(preset_page)
    numbers = _read_examples(page)["numbers"]
    first = page.locator(".thumbnail[tabindex='0']")
    index = int(first.get_attribute("data-example"))
    first.focus()
    page.keyboard.press("ArrowRight")
    assert read_state(page)["origin"]["number"] == numbers[index + 1]
    page.keyboard.press("Home")
    assert read_state(page)["origin"]["number"] == numbers[0]
    page.keyboard.press("ArrowDown")  # two classes stand in a row
    assert read_state(page)["origin"]["number"] == numbers[20]
    page.keyboard.press("End")
    assert read_state(page)["origin"]["number"] == numbers[-1]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('thumbnail')") is False
    before = read_state(page)["origin"]["number"]
    page.locator("#random-example").click()
    assert read_state(page)["origin"]["number"] != before


def test_another_network_changes_everything_to_its_numbers(open_page, preset_page):
    page = open_page(preset_page)
    state = read_state(page)
    for index, preset in enumerate(PRESETS):
        expected = _classify(preset, state["image"][None])[0]
        card = page.locator(".card-answer").nth(index)
        assert card.locator(".card-digit").inner_text() == str(expected.argmax())
        assert _format(expected.max()) in card.inner_text()
    page.locator("#network-0").focus()
    for preset in PRESETS[1:]:
        page.keyboard.press("ArrowDown")
        chosen = read_state(page)
        assert chosen["network"] == preset
        expected = _classify(preset, state["image"][None])[0]
        np.testing.assert_allclose(chosen["probabilities"], expected, atol=1e-5)
        assert page.locator(".bar-share").all_inner_texts() == [_format(p) for p in expected]
    page.locator(".card").first.click()
    assert read_state(page)["network"] == PRESETS[0]


def test_maps_are_switched_off_in_the_chosen_network_only(open_page, preset_page):
    page = open_page(preset_page)
    image = read_state(page)["image"]
    page.evaluate("""lenetPage.then(({store}) => store.set({changes: {
        ...store.state.changes, disabled: {C1: [0, 1, 2, 3, 4, 5]}}}))""")
    read_state(page)
    shown = page.locator(".card").evaluate_all(
        "all => all.map((card) => card.querySelector('.card-share').textContent.split(' ')[1])"
    )
    unchanged = [_format(_classify(preset, image[None])[0].max()) for preset in PRESETS]
    assert shown[0] != unchanged[0]
    assert shown[1:] == unchanged[1:]


def test_nothing_jumps_when_the_network_or_the_image_changes(open_page, preset_page):
    page = open_page(preset_page)
    find_top = "document.getElementById('see').getBoundingClientRect().top"
    page.wait_for_selector(".thumbnail.is-misread")
    top = page.evaluate(find_top)
    for number in (1, 2, 0):
        page.locator(".card").nth(number).click()
        assert page.evaluate(find_top) == pytest.approx(top, abs=1)
    page.wait_for_selector(".thumbnail.is-misread")
    assert page.evaluate(find_top) == pytest.approx(top, abs=1)
    draw_digit(page, 3)
    read_state(page)
    assert page.evaluate(find_top) == pytest.approx(top, abs=1)


def test_networks_have_the_same_names_everywhere(open_page, preset_page):
    page = open_page(preset_page)
    for language in ("en", "ko"):
        page.locator(f"#choose-language button[value={language}]").click()
        cards = page.locator(".card-name").all_text_contents()
        assert len(set(cards)) == 3
        assert page.locator("#accuracy tbody th").all_text_contents() == cards
        page.wait_for_selector("#history-network", state="attached")
        assert page.locator("#history-network option").all_text_contents() == cards


def test_cards_state_each_network_s_test(open_page, preset_page):
    page = open_page(preset_page)
    modern = page.locator(".card").nth(2).inner_text()
    assert "LeNet-5, modern recipe" in modern
    assert "61,706 parameters" in modern
    assert "Test error 0.40% [0.29–0.54%], 40 of 10,000" in modern
    preset = {each.name: each for each in lenet_tf.list_presets()}["lenet5-modern-mnist"]
    errors = 100 * np.array(preset.row_test_errors)
    assert f"{errors.mean():.2f}% ± {errors.std(ddof=1):.2f}, {len(errors)} runs" in modern


def test_other_things_than_digits_are_said_to_be_none(open_page, preset_page):
    page = open_page(preset_page)
    for line in (
        [(0.1, 0.2), (0.9, 0.25), (0.1, 0.5), (0.9, 0.55), (0.1, 0.85), (0.9, 0.9)],
        [(0.3, 0.9), (0.2, 0.1), (0.5, 0.8), (0.8, 0.1), (0.7, 0.9)],
    ):
        draw_line(page, line)
    state = read_state(page)
    rejector = load_rejector()
    assert not rejector.is_digit(state["image"][None], np.array([state["answer"]]))[0]
    message = page.locator(".answer-summary").inner_text()
    share = _format(state["probabilities"][state["answer"]])
    assert re.split(r"\s*\n\s*", message.strip()) == [
        "This doesn't look like a digit.",
        f"It looks most like {state['answer']} ({share}).",
    ]


def test_the_answer_is_told_when_the_stroke_ends(open_page, preset_page):
    page = open_page(preset_page)
    page.wait_for_selector("#answer-status:not(:empty)", state="attached")
    page.evaluate("""() => {
        globalThis.told = [];
        const status = document.getElementById("answer-status");
        new MutationObserver(() => told.push(status.textContent))
            .observe(status, {childList: true, characterData: true, subtree: true});
    }""")
    draw_digit(page, 3)
    page.wait_for_selector("#answer-status:text-matches('^3, ')", state="attached")
    assert page.evaluate("told.length") == 1


def test_the_language_is_chosen_and_remembered(open_page, preset_page):
    page = open_page(preset_page)
    page.locator("#clear").click()
    assert page.locator("#answer-heading").inner_text() == "The answer"
    korean = page.locator("#choose-language button[value=ko]")
    korean.click()
    assert korean.get_attribute("aria-pressed") == "true"
    assert page.locator("#answer-heading").inner_text() == "신경망의 답"
    assert page.locator("html").get_attribute("lang") == "ko"
    assert "파라미터 61,706개" in page.locator(".card").nth(1).inner_text()
    assert page.locator("#pad").get_attribute("aria-label") == "그리기 영역"
    visible = page.locator("main section#draw, #networks, footer").all_inner_texts()
    assert not re.search(r"\b(test|pixels|digit|probability|parameters)\b", " ".join(visible))
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert read_state(page)["language"] == "ko"
    page.evaluate("location.hash = 'en'")
    assert read_state(page)["language"] == "en"


def test_the_browser_s_language_comes_first(open_page, preset_page):
    assert read_state(open_page(preset_page, locale="ko-KR"))["language"] == "ko"


def test_the_theme_is_chosen_and_canvases_follow(open_page, preset_page):
    page = open_page(preset_page, color_scheme="dark")
    corner = """(() => {
        const context = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
        context.drawImage(document.getElementById("seen-image"), 0, 0);
        return context.getImageData(0, 0, 1, 1).data[0];
    })()"""
    assert (read_state(page)["theme"], page.evaluate(corner)) == ("dark", 24)
    page.locator("#choose-theme button[value=light]").click()
    assert (read_state(page)["theme"], page.evaluate(corner)) == ("light", 255)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.locator("#choose-theme button[value=auto]").click()
    assert read_state(page)["theme"] == "dark"
    page.emulate_media(color_scheme="light")
    assert (read_state(page)["theme"], page.evaluate(corner)) == ("light", 255)


@pytest.fixture(scope="module")
def color_page(tmp_path_factory):
    """The page of a network for images in color, with untrained weights."""
    model = lenet_tf.LeNet("lenet5-color", seed=0)
    return lenet_tf.write_page(model, tmp_path_factory.mktemp("color") / "color.html", notify=print)


def test_drawings_in_color_are_fitted(open_page, color_page):
    page = open_page(color_page)
    assert read_state(page)["origin"]["kind"] == "empty"
    page.locator("#pen-color").fill("#ff0000")
    page.locator("#pen-width").fill("48")
    draw_line(page, [(0.5, 0.1), (0.5, 0.9)])
    state = read_state(page)
    assert state["shape"] == [32, 32, 3]
    assert state["image"][16, 16].tolist() == [255, 0, 0]
    assert state["image"][16, 2].tolist() == [255, 255, 255]
