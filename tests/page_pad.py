"""Draws on the page's pad, and reads the page's state."""

from __future__ import annotations

from typing import Any

import numpy as np
from drawings import STROKES

_STATE = """lenetPage.then(({store: {state}}) => ({
    answer: state.answer,
    network: state.network.preset,
    language: state.language,
    theme: state.theme,
    image: Array.from(state.image.pixels),
    shape: [state.image.height, state.image.width, state.image.channels],
    probabilities: Array.from(state.probabilities),
    origin: {...state.origin, picture: state.origin.picture && Array.from(
        state.origin.picture.data.filter((_, i) => i % 4 !== 3))},
    side: state.origin.picture?.width,
}))"""
_SETTLE = """new Promise((done) => {
    let frames = 4;
    const step = () => frames-- ? requestAnimationFrame(step) : setTimeout(done, 10);
    step();
})"""


def read_state(page) -> dict[str, Any]:
    """Return the page's state after what was drawn last has been read.

    `image` and `picture`, the drawing or picture in red, green and blue, are arrays.
    """
    page.evaluate(_SETTLE)
    state = page.evaluate(_STATE)
    state["image"] = np.array(state["image"], np.uint8).reshape(state["shape"])
    if state["origin"]["picture"] is not None:
        picture = np.array(state["origin"]["picture"], np.uint8)
        state["picture"] = picture.reshape(-1, state["side"], 3)
    return state


def locate(page, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the places on the screen of points in shares of the pad's side."""
    box = page.locator("#pad").bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def draw_line(page, points: list[tuple[float, float]]) -> None:
    """Draw a stroke by mouse through points in shares of the pad's side."""
    first, *others = locate(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=2)
    page.mouse.up()


def strokes_of(digit: int) -> list[list[tuple[float, float]]]:
    """Return the strokes of a digit in shares of the pad's side."""
    return [[(0.25 + 0.5 * x, 0.15 + 0.7 * y) for x, y in stroke] for stroke in STROKES[digit]]


def draw_digit(page, digit: int) -> None:
    """Draw a digit by mouse."""
    for stroke in strokes_of(digit):
        draw_line(page, stroke)


def touch_digit(page, digit: int) -> None:
    """Draw a digit by touch."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y, "id": 1} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    for stroke in strokes_of(digit):
        first, *others = locate(page, stroke)
        send("touchStart", first)
        for point in others:
            send("touchMove", point)
        send("touchEnd")
