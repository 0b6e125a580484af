"""Make the models of this folder for the installed versions: python tests/zoo/make.py [FOLDER].

Each pair of a run format and a Keras version has a folder, whose models later versions must open
or refuse. It holds two finished runs, one of them with the layers and the optimizer of 1998, and an
interrupted run. `answers.npy` has the model's outputs for the first ten test images of the sample.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

import lenet_tf
from lenet_tf.runs import run_record

OPTIONS = {"batch_size": 50, "validation": 0.2, "seed": 0, "device": "cpu", "quiet": True}
# Name -> (variant, epochs, whether to interrupt it).
RUNS = {
    "tiny": ("tiny", 1, False),
    "lenet1": ("lenet1", 1, False),
    "interrupted": ("tiny", 2, True),
}


class InterruptInSecondEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def load_digits() -> lenet_tf.RawData:
    sample = lenet_tf.load_data("sample")
    counts = {"x_train": 300, "y_train": 300, "x_test": 100, "y_test": 100}
    return replace(
        sample, **{name: getattr(sample, name)[:count] for name, count in counts.items()}
    )


def make_run(name: str, data: lenet_tf.RawData, folder: Path) -> None:
    variant, epochs, is_interrupted = RUNS[name]
    callbacks = [InterruptInSecondEpoch()] if is_interrupted else []
    with tempfile.TemporaryDirectory() as logs:
        with contextlib.suppress(KeyboardInterrupt):
            lenet_tf.fit(variant, data, epochs=epochs, logs=logs, callbacks=callbacks, **OPTIONS)
        (run_folder,) = Path(logs, "fit").iterdir()
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("config.json", "final.keras", "metrics.json"):
            if (run_folder / file).exists():
                shutil.copy(run_folder / file, folder)
        model = lenet_tf.load_model(run_folder)
        images = lenet_tf.prepare_images(data.x_test[:10], model.spec.preparation)
        np.save(folder / "answers.npy", np.asarray(model(images)))


def main(zoo: Path) -> None:
    data = load_digits()
    versions = f"format-{run_record.FORMAT}-keras-{keras.__version__}"
    for name in RUNS:
        make_run(name, data, zoo / versions / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
