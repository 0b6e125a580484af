"""Many training steps in one call of the graph, inside Keras' own `fit`."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

# Enough that what Keras does around a call is lost in it; few enough that a progress bar moves.
STEPS_A_CALL = 500


class GraphLoop:
    """A `train_step` that takes a batch of many steps' images and goes through it `step_size` images at a time.

    The arithmetic is Keras' own, step by step and in the same order: forward pass, loss, gradients, `optimizer.apply`. Only what Keras
    does around each step in Python is done once a call; loss and metrics are taken over the outputs of all the call's steps, each made
    before its own update.
    """

    def __init__(self, step_size: int) -> None:
        self.step_size = step_size

    def train_step(self, model: keras.Model, data: Any) -> dict[str, Any]:
        x, y = data
        count, size = tf.shape(x)[0], self.step_size
        steps = (count + size - 1) // size
        outputs = tf.TensorArray(tf.float32, steps, infer_shape=False, element_shape=(None, *model.output_shape[1:]))

        def one(step: Any, total: Any, outputs: Any) -> Any:
            part = slice(step * size, tf.minimum((step + 1) * size, count))
            images, labels = x[part], y[part]
            if size == 1:  # shapes that are known spare each step a dozen small operations
                images, labels = tf.ensure_shape(images, (1, *x.shape[1:])), tf.ensure_shape(labels, (1, *y.shape[1:]))
            with tf.GradientTape() as tape:
                answers = model(images, training=True)
                loss = model.compute_loss(x=images, y=labels, y_pred=answers, training=True)
                scaled = model.optimizer.scale_loss(loss)
            weights = model.trainable_variables
            model.optimizer.apply(tape.gradient(scaled, [weight.value for weight in weights]), weights)
            return step + 1, total + loss * tf.cast(tf.shape(images)[0], loss.dtype), outputs.write(step, answers)

        start = (tf.constant(0), tf.constant(0.0), outputs)
        _, total, outputs = tf.while_loop(lambda step, *_: step < steps, one, start, parallel_iterations=1)
        answers = outputs.concat()
        (tracker,) = [metric for metric in model.metrics if metric.name == "loss"]
        tracker.update_state(total / tf.cast(count, total.dtype), sample_weight=count)
        return model.compute_metrics(x, y, answers)
