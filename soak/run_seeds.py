"""Small valid run folders to start from: a finished run and an interrupted one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import keras

import lenet_tf
from lenet_tf.data.sources.sample import load_sample

FINISHED, INTERRUPTED = "tiny-20260101-120000", "tiny-20260101-130000"


class _Stop(keras.callbacks.Callback):
    """Interrupts the training, as Ctrl-C does, after two epochs."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if epoch == 2:
            raise KeyboardInterrupt


def load_few_digits() -> lenet_tf.RawData:
    """Returns the sample with 40 training and 20 test images, under its name."""
    sample = load_sample()
    parts = {"x_train": 40, "y_train": 40, "x_test": 20, "y_test": 20}
    return replace(sample, **{name: getattr(sample, name)[:count] for name, count in parts.items()})


def make_run_folders(folder: Path, data: lenet_tf.RawData) -> None:
    """Makes the folders `FINISHED` and `INTERRUPTED` inside a folder."""
    options = {"validation": "test", "batch_size": 20, "quiet": True, "device": "cpu"}
    run = lenet_tf.fit("tiny", data, epochs=1, report=False, logs=folder / "a", **options)
    shutil.move(run.path, folder / FINISHED)
    (folder / FINISHED / "report").mkdir()
    for path in ("report.html", "report/curves.png", "report/architecture.png"):
        (folder / FINISHED / path).write_bytes(b"old")
    try:
        lenet_tf.fit(
            "tiny",
            data,
            epochs=3,
            logs=folder / "b",
            callbacks=[_Stop()],
            board=lenet_tf.Board(images_every=0, histograms=()),
            **options,
        )
    except KeyboardInterrupt:
        (path,) = (folder / "b" / "fit").iterdir()
        shutil.move(path, folder / INTERRUPTED)
    for name in ("a", "b"):
        shutil.rmtree(folder / name)
