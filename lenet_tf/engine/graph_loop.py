"""Many training steps in one call of the graph, inside Keras' own `fit`."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from lenet_tf.engine.fused_updates import FusedUpdate
from lenet_tf.engine.im2col import Im2colModel
from lenet_tf.engine.im2col_xla import XlaIm2colModel

# What a call takes: enough that what Keras does around it is lost, few enough that a progress bar moves and memory stays small.
MAX_IMAGES_PER_EXECUTION, MAX_VALUES_PER_EXECUTION, MAX_STEPS_PER_EXECUTION = (
    4_000,
    4_000 * 32 * 32 * 3,
    500,
)

# Of a large batch; more gain nothing and take longer to trace.
PREDICTION_PARTS = 2


def steps_per_execution(batch_size: int, values: int) -> int:
    """How many steps of `batch_size` images, each of so many values, one call takes."""
    return max(
        1,
        min(
            MAX_IMAGES_PER_EXECUTION // batch_size,
            MAX_VALUES_PER_EXECUTION // (batch_size * values),
            MAX_STEPS_PER_EXECUTION,
        ),
    )


def forward(model: keras.Model, images: Any) -> Any:
    """What a network says to prepared images (N, height, width, channels): the parts of a large batch go through it side by side."""
    return _joined(_answered(model, images))


# Which images of a batch went through the network, how many of them count, and the network's outputs for all of them.
_Part = tuple[slice, Any, Any]


def _answered(model: keras.Model, images: Any) -> list[_Part]:
    """The parts of a batch, in its order.

    No part is empty, since oneDNN's convolution of an empty batch returns its input's shape. A batch of fewer images than there are parts
    sends its first image through again, and that one doesn't count.
    """
    network, count = Im2colModel.from_model(model) or model, tf.shape(images)[0]
    edges = [count * number // PREDICTION_PARTS for number in range(PREDICTION_PARTS + 1)]
    parts = [
        (slice(start, tf.maximum(end, start + 1)), end - start)
        for start, end in itertools.pairwise(edges)
    ]
    return [(part, own, network(images[part], training=False)) for part, own in parts]


def _joined(parts: list[_Part]) -> Any:
    """The outputs for all images of a batch, in their order."""
    return tf.concat([outputs[:own] for _, own, outputs in parts], axis=0)


@contextlib.contextmanager
def use_engine(model: keras.Model, engine: GraphLoop | None) -> Iterator[None]:
    """The model's `fit` and `evaluate` take their steps by the engine, and afterwards in Keras' own way again."""

    def engage(engine: GraphLoop | None) -> None:
        # Keras keeps the graphs of earlier calls, which depend on the engine.
        model.graph_loop, model.train_function, model.test_function = engine, None, None

    engage(engine)
    try:
        yield
    finally:
        engage(None)


class GraphLoop:
    """A `train_step` and a `test_step`; the former takes a batch of many steps' images and goes through it `step_size` images at a time.

    The arithmetic is that of Keras' own step, in the same order: forward pass, loss, gradients, update. Only what Keras does around each
    step in Python is done once a call; loss and metrics are taken over the outputs of all the call's steps, each made before its own
    update. With `parts` 2, the halves of a step's images go through the network side by side, one for each core, and their gradients are
    added: equal mathematics for every network whose images do not see each other, equal numbers but for rounding.

    `prepare` makes of the images that come in those that the network is given, so that they can stay bytes until their step; None: they
    are prepared. `steps` is how many of them a call is meant to take; it takes those for which there are images. Convolutions are lowered
    (`lenet_tf.engine.im2col`) where the network is one that this suits. With `compiled`, XLA makes one program of a call's steps, of one image
    each, and convolutions are unrolled for it (`lenet_tf.engine.im2col_xla`).
    """

    def __init__(
        self,
        step_size: int,
        parts: int = 1,
        prepare: Callable[[Any], Any] | None = None,
        steps: int = 1,
        compiled: bool = False,
    ) -> None:
        # A part without an image must not go through the network.
        self.step_size, self.parts = step_size, min(parts, step_size)
        self.prepare, self.steps, self.compiled = prepare, steps, compiled

    def test_step(self, model: keras.Model, data: Any) -> dict[str, Any]:
        """Keras' own, but for how the network's answers are made."""
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        (tracker,) = [metric for metric in model.metrics if metric.name == "loss"]
        answered = _answered(model, x)
        for part, count, outputs in answered:
            # Of a part's own outputs: Keras takes cross-entropy from the numbers before a softmax only where it still sees that layer.
            own = None if weights is None else weights[part]
            loss = model.compute_loss(x[part], y[part], outputs, sample_weight=own, training=False)
            # An infinite loss that doesn't count must not become NaN.
            tracker.update_state(tf.where(count > 0, loss, 0.0), sample_weight=count)
        return model.compute_metrics(x, y, _joined(answered), sample_weight=weights)

    def train_step(self, model: keras.Model, data: Any) -> dict[str, Any]:
        x, y = data
        total, answers = (self._compiled if self.compiled else self._steps)(model, x, y)
        count = tf.shape(x)[0]
        (tracker,) = [metric for metric in model.metrics if metric.name == "loss"]
        tracker.update_state(total / tf.cast(count, total.dtype), sample_weight=count)
        return model.compute_metrics(x, y, answers)

    def _compiled(self, model: keras.Model, x: Any, y: Any) -> tuple[Any, Any]:
        """`_steps`, one image at a time, by XLA."""

        @tf.function(jit_compile=True, autograph=False)
        def steps(x: Any, y: Any) -> tuple[Any, Any]:
            total, outputs, _ = self._loop(model, x, y, FusedUpdate.of(model, compiled=True))
            return total, tf.reshape(outputs.stack(), (-1, model.output_shape[-1]))

        return steps(x, y)

    def _steps(self, model: keras.Model, x: Any, y: Any) -> tuple[Any, Any]:
        """Takes all steps for which there are images; (the sum of the losses, the outputs)."""
        optimizer = FusedUpdate.of(model)
        total, outputs, state = self._loop(model, x, y, optimizer)
        count = tf.shape(x)[0]
        whole = count // self.step_size * self.step_size
        left = tf.cast(count - whole, tf.float32)

        def rest() -> Any:
            loss, answers, gradients = self._gradients(model, [(x[whole:], y[whole:])], left)
            return loss * left, answers, optimizer.update(state, gradients)

        def none() -> Any:
            return tf.constant(0.0), tf.zeros((0, *model.output_shape[1:])), state

        more, last, state = tf.cond(left > 0, rest, none)
        optimizer.end(state)
        return total + more, tf.concat([outputs.concat(), last], axis=0)

    def _loop(
        self, model: keras.Model, x: Any, y: Any, optimizer: FusedUpdate
    ) -> tuple[Any, Any, Any]:
        """The steps for which all images are there: (the sum of the losses, the outputs, the optimizer's state)."""
        size = self.step_size
        whole = tf.shape(x)[0] // size
        edges = [size * number // self.parts for number in range(self.parts + 1)]
        outputs = tf.TensorArray(tf.float32, whole, element_shape=(size, *model.output_shape[1:]))

        def one(step: Any, total: Any, outputs: Any, state: Any) -> Any:
            parts = [
                [_rows(tensor, step * size + start, end - start) for tensor in (x, y)]
                for start, end in itertools.pairwise(edges)
            ]
            loss, answers, gradients = self._gradients(model, parts, tf.constant(size, tf.float32))
            return (
                step + 1,
                total + loss * size,
                outputs.write(step, answers),
                optimizer.update(state, gradients),
            )

        start = (tf.constant(0), tf.constant(0.0), outputs, optimizer.begin())
        return tf.while_loop(lambda step, *_: step < whole, one, start, parallel_iterations=1)[1:]

    def _gradients(
        self, model: keras.Model, parts: Sequence[Any], count: Any
    ) -> tuple[Any, Any, list[Any]]:
        """(The mean loss of the parts' `count` images, the outputs, the gradient for each of the model's weights)."""
        weights = [weight.value for weight in model.trainable_variables]
        of_images, network = (
            keras.losses.get(model.loss),
            (XlaIm2colModel if self.compiled else Im2colModel).from_model(model) or model,
        )
        losses, answers, gradients = [], [], []
        for images, labels in parts:
            with tf.GradientTape() as tape:
                outputs = network(
                    images if self.prepare is None else self.prepare(images), training=True
                )
                # Keras' own compute_loss gives the same after a dozen operations more.
                loss = tf.reduce_sum(getattr(of_images, "call", of_images)(labels, outputs)) / count
                scaled = model.optimizer.scale_loss(loss)
            losses.append(loss)
            answers.append(outputs)
            gradients.append(tape.gradient(scaled, weights))
        return (
            tf.add_n(losses),
            tf.concat(answers, axis=0),
            [tf.add_n(each) for each in zip(*gradients, strict=True)],
        )


def _rows(tensor: Any, start: Any, count: int) -> Any:
    """`tensor[start : start + count]`, of a shape that is known: that spares each step a dozen small operations."""
    rest = len(tensor.shape) - 1
    return tf.slice(tensor, [start] + [0] * rest, [count] + [-1] * rest)
