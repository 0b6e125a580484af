"""One way to train LeNet-5 on MNIST, in a process of its own: trains an epoch for each line on standard input and answers with JSON.

Usage: candidates.py NAME BATCH_SIZE FILE.npz. The network is the tutorial's, 61,706 parameters, the optimiser Adam, the precision float32.
Each answer has the seconds of the epoch's training, of the evaluation of the 10,000 test images after it, of both together with what else
happens in an epoch, and of predictions for the test images afterwards; `accuracy` is the test accuracy, taken from these.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np


def answer(**values) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(values | {"peak_mib": peak}), flush=True)


def turns():
    """Says that it is ready, then yields once for each line that comes in."""
    answer(ready=True)
    for _ in sys.stdin:
        yield


def asked(predict, y_test) -> dict[str, float]:
    """The seconds that a function takes to predict, and how many of its answers are right."""
    start = time.perf_counter()
    outputs = np.asarray(predict())
    return {"prediction": time.perf_counter() - start, "accuracy": float((outputs.argmax(axis=1) == y_test).mean())}


def epochs(train, evaluate, predict, y_test) -> None:
    """Runs functions that train an epoch, give the test accuracy and predict, once to warm up and then in turns."""
    train()
    evaluate()
    predict()
    for _ in turns():
        start = time.perf_counter()
        train()
        trained = time.perf_counter()
        evaluate()
        end = time.perf_counter()
        answer(training=trained - start, evaluation=end - trained, epoch=end - start, **asked(predict, y_test))


def keras_turns(predict, y_test):
    """A callback that takes two epochs a turn and answers with the second.

    Keras ends an epoch's iterator at the next one's start, where tf.data's tuning thread holds it up for as long as the process has waited
    for its turn: that falls into the first. The very first turn, of one epoch, warms up.
    """
    import keras

    class Turns(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.turns = turns()
            if epoch % 2 == 1 and next(self.turns, "over") == "over":
                raise SystemExit
            self.start = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            self.trained = time.perf_counter()

        def on_test_begin(self, logs=None):
            self.testing = time.perf_counter()

        def on_test_end(self, logs=None):
            self.tested = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            if epoch and epoch % 2 == 0:
                parts = {"training": self.trained - self.start, "evaluation": self.tested - self.testing}
                whole = time.perf_counter() - self.start
                answer(**parts, epoch=whole, **asked(lambda: predict(self.model), y_test))
            else:
                predict(self.model)

    return Turns()


def tutorial(arrays, batch_size: int, steps_per_execution: int = 1) -> None:
    """The tutorial's code, modernised only where it no longer runs: an Input layer, `to_categorical`, one division by 255, no tqdm."""
    import keras
    from keras import layers

    class Lenet(keras.Sequential):
        def __init__(self, input_shape, nb_classes):
            super().__init__()
            self.add(layers.Input(input_shape))
            self.add(layers.Conv2D(6, kernel_size=(5, 5), strides=(1, 1), activation="tanh", padding="same"))
            self.add(layers.AveragePooling2D(pool_size=(2, 2), strides=(2, 2), padding="valid"))
            self.add(layers.Conv2D(16, kernel_size=(5, 5), strides=(1, 1), activation="tanh", padding="valid"))
            self.add(layers.AveragePooling2D(pool_size=(2, 2), strides=(2, 2), padding="valid"))
            self.add(layers.Flatten())
            self.add(layers.Dense(120, activation="tanh"))
            self.add(layers.Dense(84, activation="tanh"))
            self.add(layers.Dense(nb_classes, activation="softmax"))
            options = {"steps_per_execution": steps_per_execution} if steps_per_execution > 1 else {}
            self.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"], **options)

    x_train, x_test = (arrays[name][..., None].astype("float32") / 255 for name in ("x_train", "x_test"))
    y_train, y_test = (keras.utils.to_categorical(arrays[name], 10) for name in ("y_train", "y_test"))
    model = Lenet((28, 28, 1), 10)
    with tempfile.TemporaryDirectory() as folder:
        watching = [keras.callbacks.TensorBoard(log_dir=folder, histogram_freq=1)]
        # 32 images at a time is what Keras does unless it is told otherwise.
        size = 32 if steps_per_execution == 1 else 1000
        watching.append(keras_turns(lambda model: model.predict(x_test, batch_size=size, verbose=0), arrays["y_test"]))
        model.fit(x_train, y_train, batch_size=batch_size, epochs=1000, validation_data=(x_test, y_test), callbacks=watching, verbose=0)


def ours(arrays, batch_size: int) -> None:
    import lenet_tf

    data = lenet_tf.RawData(**{name: arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")})
    with tempfile.TemporaryDirectory() as folder:
        options = {"epochs": 1000, "batch_size": batch_size, "device": "cpu", "logs": folder, "quiet": True}
        options |= {"board": lenet_tf.Board(images_every=0), "report": False}
        turns = keras_turns(lambda model: lenet_tf.predict(model, data.x_test), data.y_test)
        lenet_tf.fit("lenet5", data, **options, callbacks=[turns])


def pytorch(arrays, batch_size: int, channels_last: bool) -> None:
    import torch
    from torch import nn

    torch.set_num_threads(os.cpu_count())
    x_train, x_test = (torch.from_numpy(arrays[name][:, None].astype("float32") / 255) for name in ("x_train", "x_test"))
    y_train, y_test = (torch.from_numpy(arrays[name].astype("int64")) for name in ("y_train", "y_test"))
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)),
    )
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=channels_last)
    loss = nn.CrossEntropyLoss()

    def train():
        model.train()
        order = torch.randperm(len(x_train))
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            images = x_train[chosen]
            if channels_last:
                images = images.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad(set_to_none=True)
            loss(model(images), y_train[chosen]).backward()
            optimizer.step()

    def predict():
        model.eval()
        with torch.inference_mode():
            return torch.cat([model(x_test[i : i + 1000]) for i in range(0, len(x_test), 1000)])

    epochs(train, lambda: (predict().argmax(1) == y_test).float().mean(), predict, arrays["y_test"])


def jax(arrays, batch_size: int) -> None:
    import jax
    import jax.numpy as jnp

    x_train, x_test = (jnp.asarray(arrays[name][..., None].astype("float32") / 255) for name in ("x_train", "x_test"))
    y_train, y_test = (jnp.asarray(arrays[name]) for name in ("y_train", "y_test"))
    shapes = [(5, 5, 1, 6), (5, 5, 6, 16), (400, 120), (120, 84), (84, 10)]
    keys = jax.random.split(jax.random.key(0), len(shapes))
    glorot = {4: jax.nn.initializers.glorot_uniform(), 2: jax.nn.initializers.glorot_uniform()}
    weights = [(glorot[len(shape)](key, shape), jnp.zeros(shape[-1])) for key, shape in zip(keys, shapes, strict=True)]

    def logits(weights, x):
        for (kernel, bias), padding in zip(weights[:2], ("SAME", "VALID"), strict=True):
            x = jax.lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.lax.reduce_window(jnp.tanh(x + bias), 0.0, jax.lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") / 4
        x = x.reshape(len(x), -1)
        for kernel, bias in weights[2:4]:
            x = jnp.tanh(x @ kernel + bias)
        return x @ weights[4][0] + weights[4][1]

    def loss(weights, x, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(logits(weights, x)), y[:, None], axis=1).mean()

    def step(state, chosen):
        weights, first, second, count = state
        gradients = jax.grad(loss)(weights, x_train[chosen], y_train[chosen])
        count = count + 1
        first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, gradients)
        second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), second, gradients)
        rate = 0.001 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
        return (weights, first, second, count), None

    run = jax.jit(lambda state, order: jax.lax.scan(step, state, order)[0])
    outputs = jax.jit(lambda weights: logits(weights, x_test))
    score = jax.jit(lambda weights: (logits(weights, x_test).argmax(1) == y_test).mean())
    zeros = jax.tree.map(jnp.zeros_like, weights)
    kept = {"state": (weights, zeros, zeros, 0.0)}
    random = np.random.default_rng(0)

    def train():
        order = random.permutation(len(x_train))[: len(x_train) // batch_size * batch_size].reshape(-1, batch_size)
        kept["state"] = jax.block_until_ready(run(kept["state"], order))

    epochs(train, lambda: float(score(kept["state"][0])), lambda: jax.block_until_ready(outputs(kept["state"][0])), arrays["y_test"])


CANDIDATES = {
    "tutorial": (tutorial, {}),
    "keras-steps-50": (tutorial, {"steps_per_execution": 50}),
    "lenet_tf": (ours, {}),
    "pytorch": (pytorch, {"channels_last": False}),
    "pytorch-channels-last": (pytorch, {"channels_last": True}),
    "jax": (jax, {}),
}

if __name__ == "__main__":
    run, options = CANDIDATES[sys.argv[1]]
    with np.load(sys.argv[3]) as file:
        run(dict(file), int(sys.argv[2]), **options)
