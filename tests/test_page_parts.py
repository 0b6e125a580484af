"""The links to the parts of the page, in Chromium."""

from __future__ import annotations

import pytest
from node import run_script

PARTS = ("draw", "see", "break", "learn")


@pytest.mark.parametrize(("width", "height"), [(390, 800), (800, 390)])
def test_on_phones_the_links_stay_at_the_lower_rim(open_page, preset_page, width, height):
    page = open_page(preset_page, width=width, has_touch=True, is_mobile=True)
    page.set_viewport_size({"width": width, "height": height})
    for number in (3, 1, 2, 0):
        link = page.locator("#parts a").nth(number)
        box = page.locator("#parts").bounding_box()
        assert box["y"] + box["height"] == pytest.approx(height)
        assert box["height"] <= 48
        link.tap()
        page.wait_for_selector(f"#parts a[href='#{PARTS[number]}'][aria-current]")
        top = page.evaluate("(id) => document.getElementById(id).offsetTop", PARTS[number])
        assert page.evaluate("scrollY") == pytest.approx(top, abs=1)
        assert page.locator("#parts [aria-current]").count() == 1


def test_the_last_line_is_not_covered_by_the_links(open_page, preset_page):
    page = open_page(preset_page, width=390)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last = page.locator("footer").bounding_box()
    assert last["y"] + last["height"] <= page.locator("#parts").bounding_box()["y"]


def test_on_wide_screens_the_links_stand_in_the_header(open_page, preset_page):
    page = open_page(preset_page)
    header = page.locator(".page-header").bounding_box()
    links = page.locator("#parts").bounding_box()
    assert header["y"] < links["y"] < links["y"] + links["height"] < header["y"] + header["height"]


def test_an_address_leads_to_a_part(open_page, preset_page):
    page = open_page(preset_page)
    page.goto(f"{preset_page.as_uri()}#learn")
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    top = page.locator("#learn").bounding_box()["y"]
    assert abs(top) < 100


def test_the_last_part_that_begins_above_the_line_is_read():
    found = run_script(
        """
        import {findPart} from "#page/views/page-parts.js";
        answer([[90, 900, 1800], [-500, 310, 900], [-500, 330, 900], [-2000, -900, -10]]
          .map((tops) => findPart(tops, 800)));
        """
    )
    assert found == [0, 1, 0, 2]
