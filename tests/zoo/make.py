"""Makes the models of this folder anew with the versions of lenet_tf and Keras at hand: python tests/zoo/make.py [folder]

One folder for each pair of versions, which later versions must open or refuse by name: two finished runs, one with the 1998 paper's
layers and optimizer, and one that was interrupted. `answers.npy`: what the model said to the first ten test images of the sample.
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


class Break(keras.callbacks.Callback):
    """Ctrl-C in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def digits() -> lenet_tf.RawData:
    sample = lenet_tf.load_data("sample")
    parts = {"x_train": 300, "y_train": 300, "x_test": 100, "y_test": 100}
    return replace(sample, **{name: getattr(sample, name)[:count] for name, count in parts.items()})


def main(place: Path) -> None:
    data = digits()
    for name, variant, epochs in (
        ("tiny", "tiny", 1),
        ("lenet1", "lenet1", 1),
        ("interrupted", "tiny", 2),
    ):
        with tempfile.TemporaryDirectory() as logs:
            with contextlib.suppress(KeyboardInterrupt):
                lenet_tf.fit(
                    variant,
                    data,
                    epochs=epochs,
                    logs=logs,
                    callbacks=[Break()] if epochs == 2 else (),
                    **OPTIONS,
                )
            (made,) = Path(logs, "fit").iterdir()
            folder = place / f"format-{run_record.FORMAT}-keras-{keras.__version__}" / name
            folder.mkdir(parents=True, exist_ok=True)
            for file in ("config.json", "final.keras", "metrics.json"):
                if (made / file).exists():
                    shutil.copy(made / file, folder)
            model = lenet_tf.load_model(made)
            images = lenet_tf.prepare_images(data.x_test[:10], model.spec.preparation)
            np.save(folder / "answers.npy", np.asarray(model(images)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
