"""A real TensorBoard process over two runs, asked over HTTP, and looked at in a browser where there is one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

import lenet_tf

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(digits, tmp_path_factory):
    """(address, runs) of `tensorboard --logdir logs`."""
    folder = tmp_path_factory.mktemp("board")
    logs = folder / "logs"
    networks, board = ("lenet5", "cnn-38k"), lenet_tf.Board()
    runs = [
        lenet_tf.fit(name, digits, epochs=2, seed=1, logs=logs, board=board, quiet=True)
        for name in networks
    ]
    output = folder / "output.txt"
    command = [
        sys.executable,
        "-m",
        "tensorboard.main",
        "--logdir",
        str(logs),
        "--port",
        "0",
        "--host",
        "127.0.0.1",
    ]
    with output.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        address = None
        for _ in range(600):
            found = re.search(r"http://127\.0\.0\.1:(\d+)", output.read_text())
            if found:
                address = found[0]
                break
            assert process.poll() is None, output.read_text()
            time.sleep(0.1)
        assert address, output.read_text()
        yield address, runs
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(address, path, **query):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
        return json.load(answer)


def eventually(question, ready):
    """TensorBoard reads the event files in the background."""
    for _ in range(300):
        answer = question()
        if ready(answer):
            return answer
        time.sleep(0.1)
    raise AssertionError(answer)


def test_train_and_validation_scalars_are_served(server):
    address, runs = server
    names = {f"fit/{run.path.name}/{part}" for run in runs for part in ("train", "validation")}
    tags = eventually(
        lambda: ask(address, "/data/plugin/scalars/tags"), lambda answer: names <= set(answer)
    )
    for run in runs:
        for part, prefix in (("train", ""), ("validation", "val_")):
            name = f"fit/{run.path.name}/{part}"
            for metric in ("accuracy", "loss"):
                assert f"epoch_{metric}" in tags[name]
                points = eventually(
                    lambda name=name, metric=metric: ask(
                        address, "/data/plugin/scalars/scalars", run=name, tag=f"epoch_{metric}"
                    ),
                    lambda answer: len(answer) == 2,
                )
                assert [value for _, _, value in points] == pytest.approx(
                    run.history[prefix + metric]
                )
    assert "epoch_learning_rate" in tags[f"fit/{runs[0].path.name}/train"]


def test_histograms_are_served(server):
    address, runs = server
    name = f"fit/{runs[0].path.name}/train"
    tags = eventually(
        lambda: ask(address, "/data/plugin/histograms/tags"), lambda answer: name in answer
    )
    assert {"C1/kernel/histogram", "OUTPUT/kernel/histogram"} <= set(tags[name])


def test_every_plugin_that_a_run_writes_for_is_active(server):
    address, _ = server
    wanted = {
        "scalars",
        "images",
        "graphs",
        "distributions",
        "histograms",
        "text",
        "pr_curves",
        "hparams",
        "projector",
        "timeseries",
    }

    def active():
        return {
            name
            for name, state in ask(address, "/data/plugins_listing").items()
            if state["enabled"]
        }

    assert wanted <= eventually(active, lambda found: wanted <= found)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, the machine's own or the one that Playwright has installed. Playwright: kept by Microsoft, and sees into
    TensorBoard's web components."""
    from playwright.sync_api import Error, sync_playwright

    own = next(
        (
            path
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (path := shutil.which(name))
        ),
        None,
    )
    # The projector draws with WebGL, here without a graphics card.
    flags = [
        "--no-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--ignore-gpu-blocklist",
    ]
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=own, args=flags)
        except Error:
            pytest.skip("no Chromium: install it, or `playwright install chromium`")
        yield started
        started.close()


# What a tab shows only where it has something to show: an element, and a text in it or None.
TABS = {
    "timeseries": ("card-view", "C1/kernel/histogram"),
    "scalars": ("tf-scalar-card", "epoch_accuracy"),
    "images": ("tf-image-loader img", None),
    "graphs": ("g.node text", "C3"),
    "distributions": ("tf-distribution-loader", "C1/kernel/histogram"),
    "histograms": ("tf-histogram-loader", "C1/kernel/histogram"),
    "text": ("tf-text-loader table", "average pooling"),
    "pr_curves": ("tf-pr-curve-card", "class_0"),
    "hparams": ("tf-hparams-table-view", "lenet5"),
    "projector": ("span.numDataPoints", "100"),
}


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_has_content_in_a_browser(server, browser, tab, tmp_path):
    """A picture of each tab is kept in LENET_TF_SCREENSHOTS, for a person to look at."""
    address, _ = server
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.goto(f"{address}/#{tab}")
    selector, text = TABS[tab]

    def found():
        # The projector is a page in the page.
        places = [frame.locator(selector) for frame in page.frames]
        return sum(
            (place if text is None else place.filter(has_text=text)).count() for place in places
        )

    try:
        eventually(found, lambda count: count)
        # What is drawn after that: charts, the graph's layout, points in space.
        page.wait_for_timeout(4_000)
    finally:
        folder = Path(os.environ.get("LENET_TF_SCREENSHOTS", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{tab}.png")
        page.close()
    # Below the bar of tabs, which is orange: not all of one color.
    shown = Image.open(folder / f"{tab}.png").convert("L").crop((300, 100, 1500, 1000))
    assert len(shown.getcolors()) > 8
