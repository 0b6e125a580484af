"""A TensorBoard process shows two runs over HTTP, and in a browser if one is installed."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from PIL import Image
from quick import fit

import lenet_tf

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(digits, tmp_path_factory):
    """Runs of two networks in one logs folder."""
    logs, board = tmp_path_factory.mktemp("tensorboard") / "logs", lenet_tf.Board()
    return [
        fit(name, digits, epochs=2, seed=1, logs=logs, board=board, quiet=True)
        for name in ("lenet5", "cnn-38k")
    ]


@pytest.fixture(scope="module")
def address(runs, tmp_path_factory):
    """The address of `tensorboard --logdir logs`."""
    output = tmp_path_factory.mktemp("server") / "output.txt"
    # The run folder is logs/fit/NAME.
    logs = runs[0].path.parent.parent
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs)]
    command += ["--port", "0", "--host", "127.0.0.1"]
    with output.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)

    def find_address() -> str | None:
        assert process.poll() is None, output.read_text()
        match = re.search(r"http://127\.0\.0\.1:\d+", output.read_text())
        return match and match[0]

    try:
        yield wait_for(find_address, bool, seconds=60)
    finally:
        process.terminate()
        process.wait(timeout=30)


def fetch_json(address, path, **query):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}{path}?{urllib.parse.urlencode(query)}", timeout=30) as response:
        return json.load(response)


def wait_for(fetch, is_complete, seconds=30):
    """Fetch until the value is complete, since TensorBoard reads event files in the background."""
    for _ in range(10 * seconds):
        value = fetch()
        if is_complete(value):
            return value
        time.sleep(0.1)
    raise AssertionError(value)


def test_train_and_validation_scalars_are_served(address, runs):
    names = {f"fit/{run.path.name}/{part}" for run in runs for part in ("train", "validation")}
    tags = wait_for(
        lambda: fetch_json(address, "/data/plugin/scalars/tags"), lambda tags: names <= set(tags)
    )
    for run, (part, prefix), metric in itertools.product(
        runs, (("train", ""), ("validation", "val_")), ("accuracy", "loss")
    ):
        query = {"run": f"fit/{run.path.name}/{part}", "tag": f"epoch_{metric}"}
        assert query["tag"] in tags[query["run"]]
        fetch = functools.partial(fetch_json, address, "/data/plugin/scalars/scalars", **query)
        points = wait_for(fetch, lambda points: len(points) == 2)
        values = [value for _, _, value in points]
        assert values == pytest.approx(run.history[prefix + metric])
    assert "epoch_learning_rate" in tags[f"fit/{runs[0].path.name}/train"]


def test_histograms_are_served(address, runs):
    name = f"fit/{runs[0].path.name}/train"
    tags = wait_for(
        lambda: fetch_json(address, "/data/plugin/histograms/tags"), lambda tags: name in tags
    )
    assert {"layer C1/kernel/histogram", "layer OUTPUT/kernel/histogram"} <= set(tags[name])


def test_every_plugin_that_a_run_writes_for_is_active(address):
    expected = {
        *("scalars", "images", "graphs", "distributions", "histograms", "text", "pr_curves"),
        *("hparams", "projector", "timeseries"),
    }

    def list_active_plugins():
        plugins = fetch_json(address, "/data/plugins_listing")
        return {name for name, state in plugins.items() if state["enabled"]}

    assert expected <= wait_for(list_active_plugins, lambda active: expected <= active)


# A selector that matches only if the tab has content, and a text in the element or None.
TABS = {
    "timeseries": ("card-view", "epoch_accuracy"),
    "scalars": ("tf-scalar-card", "epoch_accuracy"),
    "images": ("tf-image-loader img", None),
    "graphs": ("g.node text", "C3"),
    "distributions": ("tf-distribution-loader", "layer C1/kernel/histogram"),
    "histograms": ("tf-histogram-loader", "layer C1/kernel/histogram"),
    "text": ("tf-text-loader table", "average pooling"),
    "pr_curves": ("tf-pr-curve-card", "class_0"),
    "hparams": ("tf-hparams-table-view", "lenet5"),
    "projector": ("span.numDataPoints", "100"),
}


def test_it_opens_on_accuracy(address, browser):
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    try:
        page.goto(address)
        wait_for(lambda: page.locator("card-view").count(), bool, seconds=60)
        page.wait_for_timeout(2_000)
        assert "epoch_accuracy" in page.locator("card-view").first.inner_text()
    finally:
        page.close()


def test_hyperparameters_begin_with_the_network_and_the_test_accuracy(address, browser):
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    try:
        page.goto(f"{address}/#hparams")
        table = page.locator("tf-hparams-table-view")
        wait_for(lambda: table.filter(has_text="lenet5").count(), bool, seconds=60)
        columns = ("learning_rate", "network", "optimizer", "test accuracy", "test loss")
        headings = [table.get_by_text(column, exact=True).first for column in columns]
        places = [heading.bounding_box()["x"] for heading in headings]
        assert places == sorted(places)
    finally:
        page.close()


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_has_content_in_a_browser(address, browser, tab, tmp_path):
    """LENET_TF_SCREENSHOTS names a folder to keep the screenshots in."""
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.goto(f"{address}/#{tab}")
    selector, text = TABS[tab]

    def count_elements():
        # The projector is a frame in the page.
        locators = [frame.locator(selector) for frame in page.frames]
        if text is not None:
            locators = [locator.filter(has_text=text) for locator in locators]
        return sum(locator.count() for locator in locators)

    try:
        wait_for(count_elements, bool)
        # Charts, the layout of the graph and the points of the projector appear later.
        page.wait_for_timeout(4_000)
    finally:
        folder = Path(os.environ.get("LENET_TF_SCREENSHOTS", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{tab}.png")
        page.close()
    # The area below the tab bar has more than one color.
    content = Image.open(folder / f"{tab}.png").convert("L").crop((300, 100, 1500, 1000))
    assert len(content.getcolors()) > 8
