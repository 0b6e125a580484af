"""Many training steps in one execution of a TensorFlow graph, inside Keras' own `fit`."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from lenet_tf.engine.fused_updates import WeightUpdate, create_weight_update
from lenet_tf.engine.im2col import Im2colModel
from lenet_tf.engine.im2col_xla import XlaIm2colModel
from lenet_tf.engine.parallel_forward import concatenate_outputs, forward_in_parts
from lenet_tf.engine.step_graphs import release_step_graphs

# Limits of one execution: large enough to hide Keras' overhead, small enough for memory and for a
# progress bar that moves.
MAX_IMAGES_PER_EXECUTION = 4_000
MAX_VALUES_PER_EXECUTION = 4_000 * 32 * 32 * 3
MAX_STEPS_PER_EXECUTION = 500


def compute_steps_per_execution(batch_size: int, values_per_image: int) -> int:
    """Compute how many training steps one execution takes, at least 1.

    Args:
        batch_size: Images per step.
        values_per_image: Values of a prepared image, or of its outputs if those are more.
    """
    return max(
        1,
        min(
            MAX_IMAGES_PER_EXECUTION // batch_size,
            MAX_VALUES_PER_EXECUTION // (batch_size * values_per_image),
            MAX_STEPS_PER_EXECUTION,
        ),
    )


@contextlib.contextmanager
def use_engine(model: keras.Model, graph_loop: GraphLoop | None) -> Iterator[None]:
    """Let a model's `fit` and `evaluate` take their steps by a graph loop inside the block."""

    def set_graph_loop(graph_loop: GraphLoop | None) -> None:
        # Keras caches the graphs of earlier calls, which depend on the loop.
        model.graph_loop, model.train_function, model.test_function = graph_loop, None, None

    set_graph_loop(graph_loop)
    try:
        yield
    finally:
        set_graph_loop(None)
        release_step_graphs()


class GraphLoop:
    """A `train_step` that takes the images of many steps, and a matching `test_step`.

    The arithmetic and its order are Keras' own: forward pass, loss, gradients, update. Only the
    Python overhead of a step is paid once per execution. Loss and metrics cover the outputs of
    all steps, each computed before its own update.

    Convolutions are computed as matrix products where that is faster (`lenet_tf.engine.im2col`,
    and `lenet_tf.engine.im2col_xla` under XLA).

    Args:
        batch_size: Images per step.
        parts: 2 runs the halves of a batch in parallel and adds their gradients. That equals
            one batch up to rounding, unless a layer draws random numbers or uses batch statistics.
        prepare: Function that prepares raw images inside the step; None for prepared images.
        steps_per_execution: Steps that one execution is meant to take. It takes as many as the
            images it gets allow.
        jit_compile: Whether XLA compiles the steps of an execution. Needs a batch size of 1.
        images: Images of an epoch, 0 if unknown. If they fill all batches, no step for a smaller
            one is traced.
    """

    def __init__(
        self,
        batch_size: int,
        parts: int = 1,
        prepare: Callable[[Any], Any] | None = None,
        steps_per_execution: int = 1,
        jit_compile: bool = False,
        images: int = 0,
    ) -> None:
        # A part without images must not go through the network.
        self.batch_size, self.parts = batch_size, min(parts, batch_size)
        self.prepare, self.steps_per_execution = prepare, steps_per_execution
        self.jit_compile = jit_compile
        self._fills_batches = images > 0 and images % batch_size == 0

    def test_step(self, model: keras.Model, data: Any) -> dict[str, Any]:
        """Evaluate one batch like Keras' own step, with the forward pass in parts."""
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        tracker = get_loss_tracker(model)
        parts = forward_in_parts(model, x)
        for rows, count, outputs in parts:
            # Each part's own outputs: Keras computes cross-entropy from the logits only while it
            # sees the softmax that made them.
            part_weights = None if weights is None else weights[rows]
            loss = model.compute_loss(
                x[rows], y[rows], outputs, sample_weight=part_weights, training=False
            )
            # An infinite loss of an image that doesn't count must not become NaN.
            tracker.update_state(tf.where(count > 0, loss, 0.0), sample_weight=count)
        return model.compute_metrics(x, y, concatenate_outputs(parts), sample_weight=weights)

    def train_step(self, model: keras.Model, data: Any) -> dict[str, Any]:
        """Take as many training steps as `data` has batches; the last one may be smaller."""
        x, y = data
        run = self._run_compiled_steps if self.jit_compile else self._run_steps
        total_loss, outputs = run(model, x, y)
        count = tf.shape(x)[0]
        tracker = get_loss_tracker(model)
        tracker.update_state(total_loss / tf.cast(count, total_loss.dtype), sample_weight=count)
        return model.compute_metrics(x, y, outputs)

    def _run_compiled_steps(self, model: keras.Model, x: Any, y: Any) -> tuple[Any, Any]:
        """Do what `_run_steps` does, one image per step, in one XLA program."""

        @tf.function(jit_compile=True, autograph=False)
        def run(x: Any, y: Any) -> tuple[Any, Any]:
            update = create_weight_update(model, jit_compile=True)
            total_loss, outputs, _ = self._run_full_batches(model, x, y, update)
            return total_loss, tf.reshape(outputs.stack(), (-1, model.output_shape[-1]))

        return run(x, y)

    def _run_steps(self, model: keras.Model, x: Any, y: Any) -> tuple[Any, Any]:
        """Take all steps; return the sum of the images' losses and the outputs."""
        update = create_weight_update(model)
        total_loss, outputs, state = self._run_full_batches(model, x, y, update)
        if self._fills_batches:
            update.store_state(state)
            return total_loss, outputs.concat()
        count = tf.shape(x)[0]
        in_full_batches = count // self.batch_size * self.batch_size
        remaining = tf.cast(count - in_full_batches, tf.float32)

        def run_last_batch() -> Any:
            batch = [(x[in_full_batches:], y[in_full_batches:])]
            loss, outputs, gradients = self._compute_gradients(model, batch, remaining)
            return loss * remaining, outputs, update.apply(state, gradients)

        def skip() -> Any:
            return tf.constant(0.0), tf.zeros((0, *model.output_shape[1:])), state

        last_loss, last_outputs, state = tf.cond(remaining > 0, run_last_batch, skip)
        update.store_state(state)
        return total_loss + last_loss, tf.concat([outputs.concat(), last_outputs], axis=0)

    def _run_full_batches(
        self, model: keras.Model, x: Any, y: Any, update: WeightUpdate
    ) -> tuple[Any, Any, Any]:
        """Take the steps of all full batches; return the total loss, the outputs and the state."""
        size = self.batch_size
        num_steps = tf.shape(x)[0] // size
        edges = [size * number // self.parts for number in range(self.parts + 1)]
        outputs = tf.TensorArray(
            tf.float32, num_steps, element_shape=(size, *model.output_shape[1:])
        )

        def run_step(step: Any, total_loss: Any, outputs: Any, state: Any) -> Any:
            parts = [
                [_slice_rows(tensor, step * size + start, end - start) for tensor in (x, y)]
                for start, end in itertools.pairwise(edges)
            ]
            loss, step_outputs, gradients = self._compute_gradients(
                model, parts, tf.constant(size, tf.float32)
            )
            return (
                step + 1,
                total_loss + loss * size,
                outputs.write(step, step_outputs),
                update.apply(state, gradients),
            )

        start = (tf.constant(0), tf.constant(0.0), outputs, update.load_state())
        return tf.while_loop(
            lambda step, *_: step < num_steps, run_step, start, parallel_iterations=1
        )[1:]

    def _compute_gradients(
        self, model: keras.Model, parts: Sequence[Any], count: Any
    ) -> tuple[Any, Any, list[Any]]:
        """Return the mean loss of a batch, its outputs, and one gradient per trainable weight.

        Args:
            model: The model to train.
            parts: (images, labels) of each part of the batch.
            count: Images in all parts, float32.
        """
        weights = [weight.value for weight in model.trainable_variables]
        loss_function = get_image_losses(model)
        model_class = XlaIm2colModel if self.jit_compile else Im2colModel
        network = model_class.from_model(model) or model
        with tf.GradientTape() as tape:
            prepared = [
                images if self.prepare is None else self.prepare(images) for images, _ in parts
            ]
            if isinstance(network, Im2colModel):
                outputs = network.call_parts(prepared, training=True)
            else:
                outputs = [network(images, training=True) for images in prepared]
            # Keras' compute_loss returns the same after a dozen more operations.
            losses = [
                tf.reduce_sum(loss_function(labels, part_outputs)) / count
                for (_, labels), part_outputs in zip(parts, outputs, strict=True)
            ]
            loss = tf.add_n(losses)
            scaled_loss = model.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, weights)
        return loss, tf.concat(outputs, axis=0), gradients


def get_image_losses(model: keras.Model) -> Callable[[Any, Any], Any]:
    """Return the function of labels and outputs that gives the loss of each image."""
    loss_function = keras.losses.get(model.loss)
    # Of a `Loss` object, the losses of the images before their reduction.
    return getattr(loss_function, "call", loss_function)


def get_loss_tracker(model: keras.Model) -> keras.metrics.Metric:
    """Return the metric that takes the mean of the loss."""
    (tracker,) = [metric for metric in model.metrics if metric.name == "loss"]
    return tracker


def _slice_rows(tensor: Any, start: Any, count: int) -> Any:
    """Return `tensor[start : start + count]` with a static shape, which saves operations."""
    rest = tensor.shape[1:]
    # With sizes of -1, XLA would first pad all images to twice their height, width and channels.
    sizes = [count, *(-1 if size is None else size for size in rest)]
    return tf.slice(tensor, [start] + [0] * len(rest), sizes)
