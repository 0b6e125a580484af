"""The page's numbers in Chromium and in Firefox, and the whole page in Firefox."""

from __future__ import annotations

import json

import numpy as np
import pytest
from marionette import Marionette
from page_browsers import BROWSERS, find_browser, open_browser, run_checks
from page_networks import NAMES, build_check, load_images
from test_page_numerics import FLOAT32_LIMIT, assert_exact

import lenet_tf

# All kinds of rows between them.
FEW = ("lenet5", "lenet5-1998", "lenet5-modern", "parts")


def skip_without(browser):
    if find_browser(browser) is None:
        pytest.skip(f"no {browser}")


@pytest.fixture(scope="module")
def few_checks():
    return [json.dumps(build_check(name, images=2, answers=100)).encode() for name in FEW]


@pytest.mark.parametrize("browser", ["chromium", pytest.param("firefox", marks=pytest.mark.slow)])
def test_browsers_compute_what_keras_does(browser, few_checks):
    skip_without(browser)
    assert_exact(run_checks(browser, few_checks))


@pytest.fixture(scope="module")
def all_checks():
    return [
        json.dumps(build_check(name, images=50, precision="float32")).encode() for name in NAMES
    ]


@pytest.mark.slow
@pytest.mark.parametrize("browser", BROWSERS)
def test_browsers_compute_all_networks_as_keras_does(browser, all_checks):
    skip_without(browser)
    results = run_checks(browser, all_checks)
    assert [result["name"] for result in results] == list(NAMES)
    assert_exact(results, FLOAT32_LIMIT)


@pytest.mark.slow
def test_firefox_opens_the_page_from_a_file(preset_page):
    """Each network answers as in Python, and all pixels come from the one file."""
    skip_without("firefox")
    image = load_images()[3]
    with open_browser("firefox", "--marionette") as profile, Marionette(profile) as firefox:
        firefox.open_page(preset_page)
        shown = firefox.run(
            f"""
            const {{store}} = await lenetPage, shown = [];
            const image = {{height: 28, width: 28, channels: 1,
              pixels: Uint8Array.from({image.ravel().tolist()})}};
            for (const network of store.networks) {{
              store.set({{network, image}});
              shown.push([network.preset, Array.from(store.state.probabilities)]);
            }}
            return shown;
            """
        )
        requests = firefox.run(
            "return performance.getEntriesByType('resource').map(({name}) => name);"
        )
    for preset, probabilities in shown:
        expected = lenet_tf.predict(image, preset).probabilities
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert len(shown) == 3
    assert not [name for name in requests if not name.startswith(("data:", "blob:"))]
