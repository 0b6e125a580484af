"""Pages on paper: light, complete and without what can only be pressed."""

from __future__ import annotations

from test_page_layout import FILL

_LOOK = """async () => {
  const {store} = await lenetPage;
  const copy = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const brightness = [...document.querySelectorAll("#seen-image, #changed-image")]
    .map((canvas) => {
      copy.drawImage(canvas, 0, 0);
      return copy.getImageData(0, 0, 1, 1).data[0];
    });
  const counts = [...document.querySelectorAll("#accuracy tbody td.number")]
    .map(({textContent}) => textContent);
  return {theme: store.state.theme, chosen: document.documentElement.dataset.theme ?? null,
    brightness, counts};
}"""


def test_a_dark_page_is_printed_light_and_complete(open_page, preset_page):
    """What nobody has scrolled to yet is computed and painted before it is printed."""
    page = open_page(preset_page, color_scheme="dark")
    page.evaluate(FILL, "en")
    before = page.evaluate(_LOOK)
    assert before["theme"] == "dark"
    assert set(before["counts"]) == {""}
    page.evaluate(f"dispatchEvent(new Event('beforeprint')); globalThis.printed = ({_LOOK})()")
    printed = page.evaluate("printed")
    assert printed["theme"] == "light"
    assert printed["brightness"] == [255, 255]
    assert all(count.split()[-1].isdigit() for count in printed["counts"])
    assert page.locator("#saliency-strongest").text_content().startswith("Strongest slope")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    after = page.evaluate(_LOOK)
    assert (after["theme"], after["chosen"]) == ("dark", None)
    assert after["brightness"][0] < 30


def test_a_printed_page_leaves_out_what_is_pressed(open_page, preset_page):
    page = open_page(preset_page)
    page.evaluate(FILL, "en")
    page.emulate_media(media="print")
    assert page.locator("input[type=range]:visible").count() == 0
    assert not page.locator("#trials-changes").is_visible()
    assert not page.locator("#trials-maps").is_visible()
    page.emulate_media(media="screen")
    page.locator("#change-degrees").fill("30")
    page.locator("#map-C1-2").click()
    page.emulate_media(media="print")
    assert page.locator("output[for=change-degrees]").inner_text() == "+30°"
    assert page.locator("#maps-C1 summary").inner_text() == "C1: 6 maps 1 off"


def test_the_figure_of_a_wide_screen_fits_paper(open_page, preset_page):
    """It was cut off behind the third layer."""
    page = open_page(preset_page)
    page.evaluate(FILL, "en")
    page.emulate_media(media="print")
    # Only the styles know of paper: the figure's own fitting would come a frame later.
    rights = page.evaluate(
        """() => {
          const root = document.querySelector("#inside");
          root.style.width = "700px";
          const {left} = root.getBoundingClientRect();
          return [...root.querySelectorAll(".layer")]
            .map((layer) => layer.getBoundingClientRect().right - left);
        }"""
    )
    assert len(rights) == 8
    assert max(rights) <= 700
