"""Fixtures: small data, finished and interrupted runs, no network, the command line."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quick
from click.testing import CliRunner, Result
from processes import NO_NETWORK

import lenet_tf
from lenet_tf.errors import Interrupted
from lenet_tf.runtime import threads

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


# Pytest changes the first, and tf2onnx the second when it is imported. This package sets the others
# before TensorFlow starts, once per process.
_CHANGING = ("PYTEST_CURRENT_TEST", "TF_CPP_MIN_LOG_LEVEL", *threads.read_thread_settings())
# What a command sets for its process. Libraries set others when they are imported.
_PINNED = ("KERAS_", "LENET_TF_", "MATPLOTLIBRC", "MPLBACKEND", "TFDS_", "TQDM_", "XLA_FLAGS")


@pytest.fixture(scope="session")
def _first_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _CHANGING}


@pytest.fixture(autouse=True)
def _environment_is_unchanged(_first_environment: dict[str, str]) -> Iterator[None]:
    """Fail a test that changes the environment, itself or by a fixture, for the tests after it."""
    yield
    before = _first_environment
    changed = {name for name, value in before.items() if os.environ.get(name) != value}
    added = {name for name in os.environ if name.startswith(_PINNED)} - before.keys()
    os.environ.update(before)
    for name in added:
        del os.environ[name]
    assert changed | added == set()


@pytest.fixture(autouse=True)
def _tensorflow_logger_is_unchanged() -> Iterator[None]:
    """Fail a test that changes TensorFlow's logger for the tests after it."""
    yield
    logger = logging.getLogger("tensorflow")
    state = logger.level, logger.disabled, logger.propagate, list(logger.filters)
    logger.setLevel(logging.NOTSET)
    assert state == (logging.NOTSET, False, True, [])


@pytest.fixture(scope="session")
def tfds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a TFDS cache that all workers of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tfds"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def originals() -> Path:
    """Return the folder with the original MNIST files, or skip the test."""
    folder = os.environ.get("LENET_TF_ORIGINALS")
    if not folder:
        pytest.skip("LENET_TF_ORIGINALS names no folder with the original MNIST files")
    return Path(folder)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the original files, the TFDS cache and the network."""
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)


class CommandLine:
    """Runs `lenet-tf` in this process."""

    def __call__(self, *arguments: Any) -> Result:
        """Run the command with these arguments."""
        from lenet_tf.cli import main

        words = [str(argument) for argument in arguments]
        before = dict(os.environ)
        try:
            return CliRunner().invoke(main, words, prog_name="lenet-tf")
        finally:
            # The command pins variables for its process, which is here that of all tests.
            os.environ.clear()
            os.environ.update(before)

    def train(self, *arguments: Any) -> Result:
        """Run `lenet-tf train` without images, histograms and a report."""
        defaults = ("--no-report",) if "--resume" in arguments else quick.ARGUMENTS
        return self("train", *defaults, *arguments)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """Return a function that runs `lenet-tf` in this process, in an empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return CommandLine()


@pytest.fixture(scope="session")
def digits():
    """Return 300 digits of the sample to train and 100 to test."""
    from dataclasses import replace

    from lenet_tf.data.sources.sample import load_sample

    sample = load_sample()
    parts = {"x_train": 300, "y_train": 300, "x_test": 100, "y_test": 100}
    return replace(sample, **{name: getattr(sample, name)[:count] for name, count in parts.items()})


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Return valid random images and labels in the layout of a .npz data file."""
    random = np.random.default_rng(0)
    return {
        "x_train": random.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        "y_train": np.arange(40) % 10,
        "x_test": random.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "y_test": np.arange(20) % 10,
    }


@pytest.fixture(scope="session")
def tiny_run(digits, tmp_path_factory):
    """Return a finished run: two epochs of `tiny`, with histograms of weights in TensorBoard."""
    return quick.fit(
        "tiny",
        digits,
        epochs=2,
        batch_size=30,
        seed=7,
        device="cpu",
        logs=tmp_path_factory.mktemp("tiny"),
        board=lenet_tf.Board(images_every=0),
        quiet=True,
    )


@pytest.fixture(scope="session")
def lenet5_run(digits, tmp_path_factory):
    """Return a finished run: three epochs of `lenet5`, with everything in TensorBoard."""
    return quick.fit(
        "lenet5",
        digits,
        epochs=3,
        validation=0.2,
        device="cpu",
        logs=tmp_path_factory.mktemp("lenet5"),
        board=lenet_tf.Board(histograms=("weights", "activations", "gradients")),
        quiet=True,
    )


@pytest.fixture(scope="session")
def _interrupted_folder(digits, tmp_path_factory) -> Path:
    from interrupted_runs import Interrupt

    logs = tmp_path_factory.mktemp("interrupted")
    options = {"epochs": 4, "seed": 3, "device": "cpu", "logs": logs, "quiet": True}
    with pytest.raises(Interrupted):
        quick.fit("tiny", digits, callbacks=[Interrupt(3)], **options)
    (folder,) = (logs / "fit").iterdir()
    return folder


@pytest.fixture
def interrupted_run(_interrupted_folder, tmp_path) -> Path:
    """Return a copy of a run of `tiny` with 2 finished of 4 epochs, in `logs/fit/`."""
    name = _interrupted_folder.name
    return Path(shutil.copytree(_interrupted_folder, tmp_path / "logs" / "fit" / name))


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, the machine's own or the one that Playwright has installed.

    Playwright finds elements inside of TensorBoard's web components.
    """
    from playwright.sync_api import Error, sync_playwright

    programs = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    # The projector draws with WebGL, which needs a software renderer without a graphics card.
    flags = [
        "--no-sandbox",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--ignore-gpu-blocklist",
    ]
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=next(filter(None, programs), None), args=flags
            )
        except Error:
            pytest.skip("no Chromium: install it with `playwright install chromium`")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def preset_page(tmp_path_factory) -> Path:
    """The page of three presets, with test images of the sample."""
    return lenet_tf.write_page(path=tmp_path_factory.mktemp("page") / "index.html", data="sample")


@pytest.fixture
def open_page(browser):
    """Opens pages from files; no page may ask the network or report an error."""
    contexts, faults = [], []

    def open_file(path: Path, width: int = 1440, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.on("request", lambda request: _note_request(request.url, faults))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert not faults


def _note_request(url: str, faults: list[str]) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        faults.append(f"asked for {url}")
