"""The process that reads weights: what ends it is told apart from damage in the file."""

from __future__ import annotations

import io
import os
import signal
import subprocess

import h5py
import numpy as np
import pytest

from lenet_tf.io import hdf5


@pytest.fixture(scope="module")
def content():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"] = np.arange(12, dtype=np.float32).reshape(3, 4)
    return stream.getvalue()


def test_arrays_are_read(content):
    arrays = hdf5.read_arrays(content)
    np.testing.assert_array_equal(
        arrays["layers/dense/vars/0"], np.arange(12, dtype=np.float32).reshape(3, 4)
    )


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_reader_is_no_damaged_file(content, number, monkeypatch):
    """As Linux does when memory runs out. Another copy of the file would not help."""

    class Killed(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.send_signal(number)

    monkeypatch.setattr(hdf5.subprocess, "Popen", Killed)
    with pytest.raises(OSError, match="was killed or ran out of memory.*try again"):
        hdf5.read_arrays(content)


def test_a_reader_that_cannot_start_is_no_damaged_file(content, monkeypatch):
    monkeypatch.setattr(hdf5, "_find_package_folder", lambda name: "/nowhere")
    with pytest.raises(OSError, match="was killed or ran out of memory"):
        hdf5.read_arrays(content)


def test_a_late_reader_is_the_files_fault(content, monkeypatch):
    monkeypatch.setattr(hdf5, "WALL_SECONDS", 0.001)
    with pytest.raises(ValueError, match="the HDF5 library fails on it, or needs too much time"):
        hdf5.read_arrays(content)


@pytest.mark.skipif(os.name == "nt", reason="needs limits of processor time")
def test_a_loop_is_the_files_fault(content, tmp_path, monkeypatch):
    """The limit of processor time ends it by another signal than a lack of memory."""
    package = tmp_path / "h5py"
    package.mkdir()
    (package / "__init__.py").write_text("def File(*_):\n    while True:\n        pass\n")
    monkeypatch.setattr(hdf5, "_find_package_folder", lambda name: str(tmp_path))
    with pytest.raises(ValueError, match="the HDF5 library fails on it, or needs too much time"):
        hdf5.read_arrays(content)
