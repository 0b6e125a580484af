"""Fixtures: small data, the folder of originals, no network, the command line."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quick
from click.testing import CliRunner, Result
from processes import NO_NETWORK

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(autouse=True)
def _tensorflow_logger_is_unchanged() -> Iterator[None]:
    """Fails a test that leaves TensorFlow's logger changed for the tests after it."""
    yield
    logger = logging.getLogger("tensorflow")
    left = logger.level, logger.disabled, logger.propagate, list(logger.filters)
    logger.setLevel(logging.NOTSET)
    assert left == (logging.NOTSET, False, True, [])


@pytest.fixture(scope="session")
def tfds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TFDS cache that all workers of pytest-xdist share."""
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


class CommandLine:
    """Runs `lenet-tf` in this process."""

    def __call__(self, *arguments: Any) -> Result:
        """Runs the command with these arguments."""
        from lenet_tf.cli import main

        return CliRunner().invoke(main, [str(each) for each in arguments], prog_name="lenet-tf")

    def train(self, *arguments: Any) -> Result:
        """Runs `lenet-tf train` without images, histograms and a report."""
        defaults = ("--no-report",) if "--resume" in arguments else quick.ARGUMENTS
        return self("train", *defaults, *arguments)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """Runs `lenet-tf` in this process, in an empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return CommandLine()


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
