"""The JAX candidate of `candidates.py`: an epoch is one compiled scan over its batches."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

SHAPES = [(5, 5, 1, 6), (5, 5, 6, 16), (400, 120), (120, 84), (84, 10)]
LAYOUT = ("NHWC", "HWIO", "NHWC")
POOL = (1, 2, 2, 1)


def build_weights() -> list:
    initialize = jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(jax.random.key(0), len(SHAPES))
    return [
        (initialize(*layer), jnp.zeros(layer[1][-1])) for layer in zip(keys, SHAPES, strict=True)
    ]


def logits(weights, x):
    for (kernel, bias), padding in zip(weights[:2], ("SAME", "VALID"), strict=True):
        options = {"padding": padding, "dimension_numbers": LAYOUT}
        x = jnp.tanh(jax.lax.conv_general_dilated(x, kernel, (1, 1), **options) + bias)
        x = jax.lax.reduce_window(x, 0.0, jax.lax.add, POOL, POOL, "VALID") / 4
    x = x.reshape(len(x), -1)
    for kernel, bias in weights[2:4]:
        x = jnp.tanh(x @ kernel + bias)
    return x @ weights[4][0] + weights[4][1]


def loss(weights, x, y):
    scores = jax.nn.log_softmax(logits(weights, x))
    return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()


def adam(state, gradients):
    """Weights, their first and second moments and the number of steps, one step later."""
    weights, first, second, count = state
    count = count + 1
    first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, gradients)
    second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), second, gradients)
    rate = 0.001 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)

    def update(w, m, v):
        return w - rate * m / (jnp.sqrt(v) + 1e-7)

    return jax.tree.map(update, weights, first, second), first, second, count


def train(arrays, batch_size: int, epochs: int, clock):
    """Train and return the function that predicts the test images."""
    scaled = (arrays[x][..., None].astype("float32") / 255 for x in ("x_train", "x_test"))
    x_train, x_test = map(jnp.asarray, scaled)
    y_train, y_test = (jnp.asarray(arrays[name]) for name in ("y_train", "y_test"))

    def step(state, batch):
        return adam(state, jax.grad(loss)(state[0], x_train[batch], y_train[batch])), None

    run_steps = jax.jit(lambda state, order: jax.lax.scan(step, state, order)[0])
    predict = jax.jit(lambda weights: logits(weights, x_test))
    score = jax.jit(lambda weights: (logits(weights, x_test).argmax(1) == y_test).mean())
    weights = build_weights()
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state, random = (weights, zeros, zeros, 0.0), np.random.default_rng(0)

    def train_epoch() -> None:
        nonlocal state
        order = random.permutation(len(x_train))[: len(x_train) // batch_size * batch_size]
        state = jax.block_until_ready(run_steps(state, order.reshape(-1, batch_size)))

    clock.run_epochs(epochs, train_epoch, lambda: float(score(state[0])))
    return lambda: jax.block_until_ready(predict(state[0]))
