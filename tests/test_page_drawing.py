"""The page's pad, test images, answer, choice of a network and settings, in Chromium."""

from __future__ import annotations

import pytest
from drawings import STROKES

STATE = """lenetPage.then(({store: {state}}) => ({
    answer: state.answer,
    image: Array.from(state.image.pixels),
    probabilities: Array.from(state.probabilities),
    origin: {...state.origin, picture: null},
}))"""


def _draw(page, digit: int) -> None:
    """Draw a digit on the pad by mouse."""
    box = page.locator("#pad").bounding_box()
    for stroke in STROKES[digit]:
        points = [
            (
                box["x"] + (0.25 + 0.5 * x) * box["width"],
                box["y"] + (0.15 + 0.7 * y) * box["height"],
            )
            for x, y in stroke
        ]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()


def _wait_for_drawing(page) -> dict:
    """Wait until the pad's last change has been read."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")
    return page.evaluate(STATE)


@pytest.mark.parametrize("digit", [2, 3, 4, 7])
def test_a_digit_drawn_by_mouse_is_recognized(open_page, preset_page, digit):
    page = open_page(preset_page)
    _draw(page, digit)
    state = _wait_for_drawing(page)
    assert state["origin"]["kind"] == "drawn"
    assert state["answer"] == digit
    assert page.locator("#answer").inner_text() == str(digit)
