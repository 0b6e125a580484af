"""Measure the arithmetic of a training step alone: its matrix products, and nothing else.

The products are those of LeNet-5's convolutions and dense layers, forward and for both gradients,
without the zeros of shared kernels. The images need no gradient. As in the graph engine, the
halves of a batch run side by side, one thread each. Usage: floor.py BATCH_SIZE prints the seconds
of 60,000 images as JSON.
"""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

from lenet_tf.runtime.tensorflow_start import start_tensorflow
from lenet_tf.specs import Convolution, Dense, get_spec

IMAGES, STEPS, REPEATS = 60_000, 60, 10

# Rows, inner size, columns, whether the first and the second factor are transposed.
Product = tuple[int, int, int, bool, bool]


def list_products(count: int) -> list[Product]:
    """The products of `count` images, in the order of a step."""
    forward: list[Product] = []
    backward: list[Product] = []
    for facts in get_spec("lenet5").layers:
        if isinstance(facts.row, Convolution):
            height, width, filters = facts.output_shape
            # Each filter has one bias.
            inner = facts.parameters // filters - 1
            columns = height * width * count
            forward.append((filters, inner, columns, False, False))
            if backward:
                backward.append((inner, filters, columns, True, False))
            backward.append((filters, columns, inner, False, True))
        elif isinstance(facts.row, Dense):
            inputs, units = math.prod(facts.input_shape), facts.row.units
            forward.append((count, inputs, units, False, False))
            backward.append((count, units, inputs, False, True))
            backward.append((inputs, count, units, True, False))
    return forward + backward[::-1]


def measure(batch_size: int) -> float:
    """The seconds of the products of an epoch, the best of several runs."""
    start_tensorflow()
    import tensorflow as tf

    products = list_products(batch_size // 2)

    def make_factors() -> list[tuple[Any, Any]]:
        # Variables, since TensorFlow would compute products of constants once for all steps.
        return [
            (
                tf.Variable(tf.random.normal((inner, rows) if transpose_a else (rows, inner))),
                tf.Variable(
                    tf.random.normal((columns, inner) if transpose_b else (inner, columns))
                ),
            )
            for rows, inner, columns, transpose_a, transpose_b in products
        ]

    def multiply_half(token: Any, factors: list[tuple[Any, Any]]) -> Any:
        for (*_, transpose_a, transpose_b), (first, second) in zip(products, factors, strict=True):
            with tf.control_dependencies([token]):
                product = tf.matmul(
                    first.read_value(), second.read_value(), transpose_a, transpose_b
                )
            # One product after another; the sum needs all of them.
            token = token + product[0, 0]
        return token

    @tf.function(autograph=False)
    def run() -> Any:
        def run_step(step: Any, *tokens: Any) -> tuple[Any, ...]:
            pairs = zip(tokens, halves, strict=True)
            return step + 1, *(multiply_half(token, factors) for token, factors in pairs)

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        return tf.while_loop(lambda step, *_: step < STEPS, run_step, start, parallel_iterations=1)

    halves = [make_factors(), make_factors()]
    run()
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        _, first, second = run()
        # Both halves must have ended.
        float(first + second)
        seconds.append(time.perf_counter() - start)
    return min(seconds) / STEPS * IMAGES / batch_size


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
