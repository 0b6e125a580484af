"""What the tests share: small data, a folder of originals where the machine has one, and a network that answers nothing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wrapt
from click.testing import CliRunner, Result

from lenet_tf.training.tensorboard.options import Board

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Nothing listens on the discard port: every request fails at once, whatever network the machine has.
NO_NETWORK = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
) | {
    "no_proxy": "",
    "NO_PROXY": "",
}


# Most tests ask for no pictures and no histograms: those take a second in each of hundreds of runs, and matplotlib seconds to start.


@wrapt.when_imported("lenet_tf.training.fit")
def _with_numbers_only(training: Any) -> None:
    training.fit.__kwdefaults__.update(board=Board(images_every=0, histograms=()), report=False)


@wrapt.when_imported("lenet_tf.training.resume")
def _without_a_report(resuming: Any) -> None:
    resuming.resume.__kwdefaults__.update(report=False)


@pytest.fixture(autouse=True)
def _tensorflows_logger_is_left_as_it_was() -> Iterator[None]:
    """Its warnings belong to whoever uses this package, and no test may depend on which ran before it."""
    yield
    logger = logging.getLogger("tensorflow")
    left = logger.level, logger.disabled, logger.propagate, list(logger.filters)
    logger.setLevel(logging.NOTSET)
    assert left == (logging.NOTSET, False, True, [])


@pytest.fixture(scope="session")
def tfds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One TFDS cache for all tests that prepare the originals, whichever worker of pytest-xdist they run in."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tfds"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def originals() -> Path:
    folder = os.environ.get("LENET_TF_ORIGINALS")
    if not folder:
        pytest.skip("LENET_TF_ORIGINALS names no folder with the original MNIST files")
    return Path(folder)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No originals, an empty TFDS cache, no network."""
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs `lenet-tf` in this process, in an empty folder."""
    from lenet_tf.cli import main

    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return lambda *arguments: CliRunner().invoke(
        main, [str(argument) for argument in arguments], prog_name="lenet-tf"
    )


def python(*arguments: str, **options) -> subprocess.CompletedProcess:
    """A new Python process."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=300, **options
    )


@pytest.fixture(scope="session")
def digits():
    """300 of the sample's digits to train, 100 to test: real data that trains in a second."""
    from dataclasses import replace

    from lenet_tf.data.sources.sample import load_sample

    sample = load_sample()
    parts = {"x_train": 300, "y_train": 300, "x_test": 100, "y_test": 100}
    return replace(sample, **{name: getattr(sample, name)[:count] for name, count in parts.items()})


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Random images and labels in the layout of a .npz data file, all valid."""
    random = np.random.default_rng(0)
    return {
        "x_train": random.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        "y_train": np.arange(40) % 10,
        "x_test": random.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "y_test": np.arange(20) % 10,
    }
