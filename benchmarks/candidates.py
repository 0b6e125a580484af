"""Train LeNet-5 on MNIST in one of six ways and print how long it takes, as JSON.

Usage: candidates.py NAME BATCH_SIZE EPOCHS FILE.npz. The network is the tutorial's with 61,706
parameters, the optimizer is Adam and the precision float32. The process trains and predicts without
a pause, as a user's own script does. The TensorFlow ways write TensorBoard's histograms of the
weights after each epoch. lenet_tf also writes its checkpoints, but draws no images and no report.
PyTorch and JAX write nothing. The last line of standard output holds:

    first_epoch_at         `time.monotonic()` when the first epoch begins
    first_epoch            its seconds, with tracing and compilation
    epoch                  the seconds of each later epoch, until the next one begins
    training, evaluation   two parts of each later epoch; the rest is what the run writes
    prediction             the seconds of one call after training that predicts the test images
    accuracy               the share of these predictions that are correct
    peak_mib               the largest memory of the process
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np


class Clock:
    """The moments at which each epoch starts, its training ends and its evaluation ends."""

    def __init__(self) -> None:
        self.starts, self.training_ends, self.evaluation_ends = [], [], []

    def start_epoch(self, *_) -> None:
        self.starts.append(time.monotonic())

    def end_training(self, *_) -> None:
        self.training_ends.append(time.monotonic())

    def end_evaluation(self, *_) -> None:
        self.evaluation_ends.append(time.monotonic())

    # The last epoch ends where another one would start.
    stop = start_epoch

    def run_epochs(self, epochs: int, train, evaluate) -> None:
        for _ in range(epochs):
            self.start_epoch()
            train()
            self.end_training()
            evaluate()
            self.end_evaluation()
        self.stop()

    def measure(self) -> dict:
        """The seconds between the moments, with the first epoch apart from the later ones."""
        moments = zip(self.starts, self.training_ends, self.evaluation_ends, strict=False)
        parts = [(trained - start, end - trained) for start, trained, end in moments]
        training, evaluation = zip(*parts, strict=True)
        first, *later = [end - start for start, end in itertools.pairwise(self.starts)]
        return {
            "first_epoch_at": self.starts[0],
            "first_epoch": first,
            "epoch": later,
            "training": training[1:],
            "evaluation": evaluation[1:],
        }


def time_keras(clock: Clock):
    """A callback for `fit` without hooks for batches, which would cost time."""
    import keras

    return keras.callbacks.LambdaCallback(
        on_epoch_begin=clock.start_epoch,
        on_test_begin=clock.end_training,
        on_test_end=clock.end_evaluation,
        on_train_end=clock.stop,
    )


def train_tutorial(arrays, batch_size: int, epochs: int, clock: Clock, steps_per_execution=1):
    """The tutorial's code. It differs only where the original no longer runs.

    It has an Input layer, `to_categorical`, one division by 255 and no tqdm.
    """
    import keras
    from keras import layers

    class Lenet(keras.Sequential):
        def __init__(self, input_shape, nb_classes):
            super().__init__()
            pool = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}
            conv = {"kernel_size": (5, 5), "strides": (1, 1), "activation": "tanh"}
            self.add(layers.Input(input_shape))
            self.add(layers.Conv2D(6, padding="same", **conv))
            self.add(layers.AveragePooling2D(**pool))
            self.add(layers.Conv2D(16, padding="valid", **conv))
            self.add(layers.AveragePooling2D(**pool))
            self.add(layers.Flatten())
            self.add(layers.Dense(120, activation="tanh"))
            self.add(layers.Dense(84, activation="tanh"))
            self.add(layers.Dense(nb_classes, activation="softmax"))
            options = {"optimizer": "adam", "loss": "categorical_crossentropy"}
            if steps_per_execution > 1:
                options["steps_per_execution"] = steps_per_execution
            self.compile(metrics=["accuracy"], **options)

    x_train, x_test = (arrays[x][..., None].astype("float32") / 255 for x in ("x_train", "x_test"))
    y_train, y_test = (keras.utils.to_categorical(arrays[y], 10) for y in ("y_train", "y_test"))
    model = Lenet((28, 28, 1), 10)
    with tempfile.TemporaryDirectory() as folder:
        board = keras.callbacks.TensorBoard(log_dir=folder, histogram_freq=1)
        model.fit(
            x_train,
            y_train,
            batch_size=batch_size,
            epochs=epochs,
            validation_data=(x_test, y_test),
            callbacks=[board, time_keras(clock)],
            verbose=0,
        )
    # Keras' own default is 32 images at a time.
    size = 32 if steps_per_execution == 1 else 1000
    return lambda: model.predict(x_test, batch_size=size, verbose=0)


def train_lenet_tf(arrays, batch_size: int, epochs: int, clock: Clock):
    import lenet_tf

    names = ("x_train", "y_train", "x_test", "y_test")
    data = lenet_tf.RawData(**{name: arrays[name] for name in names})
    options = {"device": "cpu", "quiet": True, "report": False}
    options["board"] = lenet_tf.Board(images_every=0)
    options |= {"epochs": epochs, "batch_size": batch_size}
    with tempfile.TemporaryDirectory() as folder:
        # First lenet_tf, which chooses TensorFlow's threads, and then Keras.
        fit = lenet_tf.fit
        run = fit("lenet5", data, logs=folder, callbacks=[time_keras(clock)], **options)
    return lambda: lenet_tf.predict_outputs(run, data.x_test)


def train_pytorch(*arguments, **options):
    import pytorch_lenet

    return pytorch_lenet.train(*arguments, **options)


def train_jax(*arguments):
    import jax_lenet

    return jax_lenet.train(*arguments)


CANDIDATES = {
    "tutorial": (train_tutorial, {}),
    "keras-steps-50": (train_tutorial, {"steps_per_execution": 50}),
    "lenet_tf": (train_lenet_tf, {}),
    "pytorch": (train_pytorch, {"channels_last": False}),
    "pytorch-channels-last": (train_pytorch, {"channels_last": True}),
    "jax": (train_jax, {}),
}


def main() -> None:
    name, batch_size, epochs, path = sys.argv[1:]
    train, options = CANDIDATES[name]
    with np.load(path) as file:
        arrays = dict(file)
    clock = Clock()
    predict = train(arrays, int(batch_size), int(epochs), clock, **options)
    start = time.monotonic()
    outputs = np.asarray(predict())
    measured = clock.measure() | {"prediction": time.monotonic() - start}
    measured["accuracy"] = float((outputs.argmax(axis=1) == arrays["y_test"]).mean())
    measured["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
