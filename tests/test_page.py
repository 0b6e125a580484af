"""The page of trained networks as a whole."""

from __future__ import annotations

from node import run_script


def test_the_scripts_run_outside_of_a_browser():
    shares = run_script(
        """
        import {softmax} from "#page/network/probabilities.js";
        answer(Array.from(softmax(argument)));
        """,
        [0.0, 0.0, 0.0, 0.0],
    )
    assert shares == [0.25] * 4


def test_the_page_starts_from_a_file(open_page, preset_page):
    page = open_page(preset_page)
    names = page.evaluate("lenetPage.then(({store}) => store.networks.map(({preset}) => preset))")
    assert names == ["lenet5-1998-mnist", "lenet5-mnist", "lenet5-modern-mnist"]
