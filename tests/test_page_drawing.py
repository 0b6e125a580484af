"""The page's pad, and pictures that are opened, dropped or pasted, in Chromium."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from node import run_script
from page_pad import draw_digit, draw_line, locate, read_state, strokes_of, touch_digit
from PIL import Image, ImageDraw

import lenet_tf

_PNG = "image/png"


def test_drawings_by_mouse_are_prepared_as_in_python_and_recognized(open_page, preset_page):
    page = open_page(preset_page)
    assert page.locator(".pad-hint").is_visible()
    for digit in (3, 4):
        page.locator("#clear").click()
        draw_digit(page, digit)
        state = read_state(page)
        assert state["origin"]["kind"] == "drawn"
        assert state["picture"].shape == (280, 280, 3)
        expected = lenet_tf.as_digit(state["picture"][..., 0])
        np.testing.assert_array_equal(state["image"][..., 0], expected)
        assert state["answer"] == digit
        assert page.locator("#answer").inner_text() == str(digit)
        assert not page.locator(".pad-hint").is_visible()


def test_a_digit_drawn_by_touch_is_recognized_and_the_page_does_not_scroll(open_page, preset_page):
    page = open_page(preset_page, width=390, has_touch=True, is_mobile=True, device_scale_factor=3)
    touch_digit(page, 3)
    state = read_state(page)
    assert (state["origin"]["kind"], state["answer"]) == ("drawn", 3)
    assert state["picture"].shape == (280, 280, 3)
    expected = lenet_tf.as_digit(state["picture"][..., 0])
    np.testing.assert_array_equal(state["image"][..., 0], expected)
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    # The pad is painted at the screen's resolution.
    pad = page.locator("#pad")
    assert pad.evaluate("({width}) => width") == round(3 * pad.bounding_box()["width"])


def test_strokes_lie_where_the_pointer_was(open_page, preset_page):
    page = open_page(preset_page)
    draw_line(page, [(0.2, 0.3), (0.8, 0.3)])
    draw_line(page, [(0.5, 0.6), (0.5, 0.9)])
    sheet = Image.new("L", (280, 280))
    pen = ImageDraw.Draw(sheet)
    for start, end in (((56, 84), (224, 84)), ((140, 168), (140, 252))):
        pen.line([start, end], fill=255, width=22)
        for x, y in (start, end):
            pen.ellipse((x - 11, y - 11, x + 11, y + 11), fill=255)
    drawn = read_state(page)["picture"][..., 0].astype(float)
    assert np.abs(drawn - np.asarray(sheet)).mean() < 2


def test_the_pen_width_sets_the_width_of_new_strokes(open_page, preset_page):
    page = open_page(preset_page)
    for width in (8, 40):
        page.locator("#clear").click()
        page.locator("#pen-width").fill(str(width))
        draw_line(page, [(0.5, 0.2), (0.5, 0.8)])
        picture = read_state(page)["picture"]
        assert abs(picture[140, :, 0].sum() / 255 - width) < 1
        assert page.locator(".pad-tools output").inner_text() == str(width)


def test_undo_redo_and_clear_change_the_drawing(open_page, preset_page):
    page = open_page(preset_page)
    inks = []

    def note() -> float:
        state = read_state(page)
        inks.append(0 if state["origin"]["kind"] == "empty" else state["picture"].sum() // 765)
        return inks[-1]

    first, second = strokes_of(4)
    draw_line(page, first)
    one = note()
    draw_line(page, second)
    both = note()
    assert both > one > 3000
    page.locator("#undo").click()
    assert note() == one
    page.locator("#redo").click()
    assert note() == both
    page.locator("#clear").click()
    assert note() == 0
    assert not read_state(page)["image"].any()
    assert "Draw" in page.locator(".answer-message").inner_text()
    page.keyboard.press("Control+z")
    assert note() == both
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert note() == 0
    assert page.locator("#undo").get_attribute("aria-disabled") == "true"
    page.keyboard.press("Control+Shift+z")
    assert note() == one
    # A test image replaces the drawing, which can be brought back.
    page.locator("#random-example").click()
    assert read_state(page)["origin"]["kind"] == "example"
    page.locator("#undo").click()
    assert note() == one


def _count_ink(page) -> int:
    state = read_state(page)
    return 0 if state["origin"]["kind"] == "empty" else int(state["picture"].sum() // 765)


def _press_while_drawing(page, key: str) -> None:
    (start, middle, end) = locate(page, [(0.7, 0.2), (0.7, 0.5), (0.7, 0.8)])
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*middle)
    page.keyboard.press(key)
    page.mouse.move(*end)
    page.mouse.up()


def test_keys_interrupt_a_stroke(open_page, preset_page):
    page = open_page(preset_page)
    draw_line(page, [(0.3, 0.2), (0.3, 0.8)])
    one = _count_ink(page)
    for key in ("Control+z", "Backspace"):
        _press_while_drawing(page, key)
        assert _count_ink(page) == one
    _press_while_drawing(page, "ArrowUp")  # a pointer draws: the keyboard's pen stays up
    both = _count_ink(page)
    assert abs(both - 2 * one) <= 2
    page.locator("#undo").click()
    assert _count_ink(page) == one
    _press_while_drawing(page, "Delete")
    assert _count_ink(page) == 0
    page.locator("#undo").click()
    assert one < _count_ink(page) < both
    page.locator("#undo").click()
    page.locator("#undo").click()
    assert _count_ink(page) == 0
    assert page.locator("#undo").get_attribute("aria-disabled") == "true"


def test_a_test_image_that_replaces_a_stroke_stays(open_page, preset_page):
    page = open_page(preset_page)
    start, middle, end = locate(page, [(0.7, 0.2), (0.7, 0.5), (0.7, 0.8)])
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*middle)
    page.evaluate("document.getElementById('random-example').click()")
    page.mouse.move(*end)
    page.mouse.up()
    number = read_state(page)["origin"]["number"]
    assert number is not None
    # Nothing was drawn that could be undone.
    page.locator("#undo").dispatch_event("click")
    page.locator("#redo").dispatch_event("click")
    assert read_state(page)["origin"]["number"] == number


def test_buttons_are_hit_after_a_key_was_pressed_on_the_pad(open_page, preset_page):
    page = open_page(preset_page)
    draw_line(page, [(0.3, 0.2), (0.3, 0.8)])
    assert not page.locator("#pad-keys").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#pad-keys").is_visible()
    page.locator("#clear").click()
    assert read_state(page)["origin"]["kind"] == "empty"


def test_tiny_drawings_that_are_refused_are_asked_for_larger(open_page, preset_page):
    page = open_page(preset_page)
    for scale, is_asked in ((0.05, True), (0.4, False)):
        page.locator("#clear").click()
        for line in ([(-1, 0), (1, 0.2), (-1, 0.9), (1, 1)], [(-1, 1), (1, -1)]):
            draw_line(page, [(0.5 + scale * x, 0.5 + scale * y) for x, y in line])
        read_state(page)
        message = page.locator(".answer-summary").inner_text()
        assert "doesn't look like a digit" in message
        assert ("Draw it larger." in message) is is_asked


def test_ink_stays_off_the_pad_s_rim(open_page, preset_page):
    page = open_page(preset_page)
    draw_line(page, [(0.3, 0.5), (0.3, 1.2), (-0.2, 1.2)])
    ink = read_state(page)["picture"][..., 0]
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    assert (rows.max(), columns.min()) == (277, 2)


def test_a_pen_takes_over_from_a_palm(open_page, preset_page):
    page = open_page(preset_page)
    page.evaluate("""() => {
        const pad = document.getElementById("pad");
        const {left, top, width} = pad.getBoundingClientRect();
        pad.setPointerCapture = () => {};
        const send = (type, pointerType, pointerId, x, y) => pad.dispatchEvent(new PointerEvent(
            type, {pointerType, pointerId, isPrimary: true, button: 0, bubbles: true,
                clientX: left + x * width, clientY: top + y * width}));
        send("pointerdown", "touch", 7, 0.9, 0.9);
        send("pointermove", "touch", 7, 0.9, 0.8);
        send("pointerdown", "pen", 8, 0.5, 0.2);
        send("pointermove", "pen", 8, 0.5, 0.8);
        send("pointerup", "pen", 8, 0.5, 0.8);
        send("pointerdown", "touch", 9, 0.1, 0.9);
        send("pointerup", "touch", 9, 0.1, 0.9);
    }""")
    ink = read_state(page)["picture"][..., 0]
    columns = np.flatnonzero(ink.any(axis=0))
    assert (columns.min(), columns.max()) == (140 - 11, 140 + 10)


def test_the_keyboard_draws(open_page, preset_page):
    page = open_page(preset_page)
    page.locator("#pad").focus()
    for key in ["ArrowUp"] * 5 + [" "] + ["ArrowDown"] * 10 + [" "]:
        page.keyboard.press(key)
    state = read_state(page)
    assert (state["origin"]["kind"], state["answer"]) == ("drawn", 1)
    rows = np.flatnonzero(state["picture"][:, 140, 0] > 127)
    assert (rows.min(), rows.max()) == (140 - 5 * 14 - 11, 140 + 5 * 14 + 10)
    page.keyboard.press("Delete")
    assert read_state(page)["origin"]["kind"] == "empty"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([[(0.2, 0.2), (0.2, 0.8)], [(0.8, 0.2), (0.8, 0.8)]], "several digits"),
        ([[(0.5, 0.5), (0.51, 0.5)]], "a dot"),
    ],
)
def test_refusals_are_explained_when_the_stroke_ends(open_page, preset_page, lines, message):
    page = open_page(preset_page)
    for line in lines:
        draw_line(page, line)
    assert not read_state(page)["image"].any()
    assert message in page.locator(".answer-message").inner_text()
    page.locator("#choose-language button[value=ko]").click()
    assert message not in page.locator(".answer-message").inner_text()


def _draw_picture() -> Image.Image:
    """Draw a 7 in blue ink on yellow paper, larger than the pad and not square."""
    picture = Image.new("RGB", (420, 300), (250, 240, 170))
    pen = ImageDraw.Draw(picture)
    pen.line([(150, 60), (270, 60), (190, 240)], fill=(20, 30, 120), width=16, joint="curve")
    return picture


def _encode(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _read_in_python(content: bytes, tmp_path) -> np.ndarray:
    path = tmp_path / "picture"
    path.write_bytes(content)
    return lenet_tf.as_digit(lenet_tf.read_picture(path))


@pytest.mark.parametrize("way", ["input", "drop", "paste"])
def test_pictures_are_prepared_as_in_python(open_page, preset_page, tmp_path, way):
    page, content = open_page(preset_page), _encode(_draw_picture())
    if way == "input":
        file = {"name": "seven.png", "mimeType": _PNG, "buffer": content}
        page.locator("#choose-file").set_input_files(file)
    else:
        page.evaluate(
            """([way, content]) => {
                const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], "seven.png", {type: "image/png"}));
                document.body.dispatchEvent(way === "drop"
                    ? new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true})
                    : new ClipboardEvent("paste", {clipboardData: dataTransfer, bubbles: true}));
            }""",
            [way, base64.b64encode(content).decode()],
        )
    page.wait_for_selector(".seen-title:text('Your picture')")
    state = read_state(page)
    assert state["origin"]["kind"] == "file"
    expected = _read_in_python(content, tmp_path)
    np.testing.assert_array_equal(state["image"][..., 0], expected)
    assert state["answer"] == 7


def test_photographs_are_turned_upright(open_page, preset_page):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter turn clockwise
    turned = _draw_picture().transpose(Image.Transpose.ROTATE_90)
    page = open_page(preset_page)
    content = _encode(turned, "JPEG", exif=exif, quality=95)
    file = {"name": "turned.jpg", "mimeType": "image/jpeg", "buffer": content}
    page.locator("#choose-file").set_input_files(file)
    page.wait_for_selector(".seen-title:text('Your picture')")
    state = read_state(page)
    assert state["answer"] == 7
    assert state["picture"].shape == (300, 420, 3)


_DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, {type: "image/png"}));
    document.body.dispatchEvent(
        new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}));
}"""


def test_what_is_done_last_is_shown(open_page, preset_page):
    """A large picture takes a while to be read: what follows isn't replaced by it."""
    page = open_page(preset_page)
    large = base64.b64encode(_encode(_draw_picture().resize((4200, 3000)))).decode()
    page.evaluate(_DROP, ["large.png", large])
    page.evaluate(_DROP, ["text.png", base64.b64encode(b"text").decode()])
    page.wait_for_timeout(1500)
    assert read_state(page)["origin"]["error"] == "file"
    page.evaluate(_DROP, ["large.png", large])
    page.evaluate("document.querySelectorAll('.thumbnail')[9].click()")
    page.wait_for_timeout(1500)
    assert read_state(page)["origin"]["kind"] == "example"


def test_files_that_are_no_picture_are_explained(open_page, preset_page):
    page = open_page(preset_page)
    file = {"name": "text.png", "mimeType": _PNG, "buffer": b"no picture"}
    page.locator("#choose-file").set_input_files(file)
    page.wait_for_selector(".answer-message")
    assert "isn't a picture" in page.locator(".answer-message").inner_text()
    draw_digit(page, 2)
    assert read_state(page)["answer"] == 2


def test_the_history_of_a_drawing():
    states = run_script(
        """
        import {change, NO_HISTORY, redo, undo} from "#page/views/drawing/strokes.js";
        const one = change(NO_HISTORY, ["a"]), two = change(one, ["a", "b"]);
        answer([
          undo(NO_HISTORY), undo(two), redo(undo(two)), redo(two), change(undo(two), ["c"]),
        ]);
        """
    )
    empty = {"past": [], "present": [], "future": []}
    one = {"past": [[]], "present": ["a"], "future": []}
    two = {"past": [[], ["a"]], "present": ["a", "b"], "future": []}
    other = {"past": [[], ["a"]], "present": ["c"], "future": []}
    assert states == [empty, {**one, "future": [["a", "b"]]}, two, two, other]
