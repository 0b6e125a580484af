"""lenet5-modern in JAX, for many networks at once: distortions, forward pass and AdamW."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

BATCH_SIZE = 64
ACTIVATIONS = {"relu": 0.0, "gelu": 1.0, "silu": 2.0}
# The decay of the running mean of the weights, which is evaluated as well.
MEAN_DECAY = 0.999
# The standard deviation of a normal distribution that is truncated at two standard deviations.
TRUNCATED_STD = 0.87962566


def distort(key: Any, images: Any, strengths: Any) -> Any:
    """Distorts each image (N, 28, 28) in its own way, as `lenet_tf.data.augmentation` does."""
    count = len(images)
    affine_key, elastic_key = jax.random.split(key)
    draws = jax.random.uniform(affine_key, (6, count, 1, 1), minval=-1, maxval=1)
    down, right = strengths[0] * draws[0], strengths[0] * draws[1]
    scale, squeeze = 1 + strengths[1] * draws[2], 1 + strengths[2] * draws[3]
    shear = strengths[3] * draws[4]
    y = jnp.arange(28.0)[None, :, None] - 13.5 - down
    x = jnp.arange(28.0)[None, None, :] - 13.5 - right
    distances = jnp.arange(28.0)[:, None] - jnp.arange(28.0)
    gaussian = jnp.exp(-((distances / 4) ** 2) / 2) / (4 * np.sqrt(2 * np.pi))
    fields = jax.random.uniform(elastic_key, (2, count, 28, 28), minval=-1, maxval=1)
    smooth = jnp.einsum("ij,abjk,kl->abil", gaussian, fields, gaussian, precision="highest")
    shifts = strengths[4] * smooth
    rows = y * squeeze / scale + 13.5 + shifts[0]
    columns = (x - shear * y) / (scale * squeeze) + 13.5 + shifts[1]
    return interpolate(images, rows, columns)


def interpolate(images: Any, rows: Any, columns: Any) -> Any:
    """Samples each image at fractional coordinates, with zeros outside of the image."""
    count = len(images)
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1))).reshape(count, 900)
    rows, columns = jnp.clip(rows + 1, 0.0, 29.0), jnp.clip(columns + 1, 0.0, 29.0)
    row, column = jnp.minimum(jnp.floor(rows), 28.0), jnp.minimum(jnp.floor(columns), 28.0)
    first = (row * 30 + column).astype(jnp.int32).reshape(count, -1)

    def take(offset: int) -> Any:
        return jnp.take_along_axis(padded, first + offset, 1).reshape(count, 28, 28)

    top_left, top_right, bottom_left, bottom_right = (take(offset) for offset in (0, 1, 30, 31))
    top = top_left + (columns - column) * (top_right - top_left)
    bottom = bottom_left + (columns - column) * (bottom_right - bottom_left)
    return top + (rows - row) * (bottom - top)


def init_weights(key: Any) -> dict[str, Any]:
    """He's normal initialization, Glorot's uniform one for the output, biases of 0."""
    shapes = [(25, 6), (150, 16), (400, 120), (120, 84), (84, 10)]
    weights = {}
    keys = jax.random.split(key, len(shapes))
    for number, (layer_key, shape) in enumerate(zip(keys, shapes, strict=True), 1):
        if number < len(shapes):
            normal = jax.random.truncated_normal(layer_key, -2.0, 2.0, shape)
            weights[f"w{number}"] = normal * np.sqrt(2 / shape[0]) / TRUNCATED_STD
        else:
            limit = np.sqrt(6 / sum(shape))
            uniform = jax.random.uniform(layer_key, shape, minval=-limit, maxval=limit)
            weights[f"w{number}"] = uniform
        weights[f"b{number}"] = jnp.zeros(shape[1])
    return weights


def extract_patches(images: Any) -> Any:
    """(N, 28, 28) → (N, 784, 25), with zero padding."""
    padded = jnp.pad(images, ((0, 0), (2, 2), (2, 2)))
    windows = [padded[:, i : i + 28, j : j + 28] for i, j in product(range(5), range(5))]
    return jnp.stack(windows, -1).reshape(-1, 784, 25)


def max_pool(maps: Any) -> Any:
    count, height, width, depth = maps.shape
    return maps.reshape(count, height // 2, 2, width // 2, 2, depth).max(axis=(2, 4))


def compute_logits(weights: dict[str, Any], patches: Any, activation: Any) -> Any:
    """Logits (N, 10) of patches (N, 784, 25). The activation is a number in `ACTIVATIONS`."""

    def activate(x: Any) -> Any:
        others = jnp.where(activation == 1, jax.nn.gelu(x, approximate=False), jax.nn.silu(x))
        return jnp.where(activation == 0, jnp.maximum(x, 0), others)

    count = len(patches)
    sums = patches @ weights["w1"] + weights["b1"]
    maps = max_pool(activate(sums).reshape(count, 28, 28, 6))
    windows = [maps[:, i : i + 10, j : j + 10] for i, j in product(range(5), range(5))]
    sums = jnp.concatenate(windows, -1).reshape(count, 100, 150) @ weights["w2"] + weights["b2"]
    units = max_pool(activate(sums).reshape(count, 10, 10, 16)).reshape(count, 400)
    for number in (3, 4):
        units = activate(units @ weights[f"w{number}"] + weights[f"b{number}"])
    return units @ weights["w5"] + weights["b5"]


def compute_loss(
    weights: dict[str, Any], patches: Any, labels: Any, activation: Any, smoothing: Any
) -> Any:
    targets = jax.nn.one_hot(labels, 10) * (1 - smoothing) + smoothing / 10
    log_probabilities = jax.nn.log_softmax(compute_logits(weights, patches, activation))
    return -jnp.mean(jnp.sum(targets * log_probabilities, -1))


def broadcast(numbers: Any, weights: Any) -> Any:
    """Gives one number per network the rank of the weights of all networks."""
    return numbers.reshape((-1,) + (1,) * (weights.ndim - 1))


def schedule_rate(setting: dict[str, Any], step: Any, steps: Any) -> Any:
    """One-cycle learning rates: a warm-up over a quarter of the steps, then a line or a cosine."""
    peak = jnp.maximum(1.0, steps / 4)
    decay = jnp.where(
        setting["cosine"] > 0,
        0.5 + 0.5 * jnp.cos(jnp.pi * (step - peak) / (steps - peak)),
        (steps + 1 - step) / (steps + 1 - peak),
    )
    return setting["rate"] * jnp.where(step < peak, step / peak, decay)


def update_weights(state: Any, gradients: Any, setting: dict[str, Any], step: Any, rate: Any):
    """One step of AdamW and of the running mean. `step` counts from 1."""
    weights, first, second, mean = state
    beta_2 = setting["beta_2"]
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(
        lambda v, g: broadcast(beta_2, v) * v + (1 - broadcast(beta_2, v)) * g * g,
        second,
        gradients,
    )
    step_size, correction = rate / (1 - 0.9**step), 1 - beta_2**step
    decay = 1 - rate * setting["decay"]

    def update(w: Any, m: Any, v: Any) -> Any:
        root = jnp.sqrt(v / broadcast(correction, v)) + 1e-7
        return broadcast(decay, w) * w - broadcast(step_size, w) * m / root

    weights = jax.tree.map(update, weights, first, second)
    mean_decay = jnp.minimum(MEAN_DECAY, 1 - 1 / step)
    mean = jax.tree.map(lambda a, w: mean_decay * a + (1 - mean_decay) * w, mean, weights)
    return weights, first, second, mean


@partial(jax.jit, donate_argnums=0)
def train_epoch(
    state: Any,
    images: Any,
    labels: Any,
    key: Any,
    epoch: Any,
    epochs: Any,
    strengths: Any,
    setting: dict[str, Any],
) -> Any:
    """Trains all networks for an epoch.

    Args:
        state: Weights, their first and second moments, and the running mean of the weights.
        images: (N, 28, 28), 0…1.
        labels: (N,).
        key: The random key of all epochs.
        epoch: The number of this epoch, from 0.
        epochs: The number of all epochs.
        strengths: A value of `sweep_settings.DISTORTIONS`.
        setting: An array of one value per network for each name in `sweep_settings.BASE`.

    Returns:
        The state after the epoch.
    """
    steps = len(images) // BATCH_SIZE
    order_key, distortion_key = jax.random.split(jax.random.fold_in(key, epoch))
    order = jax.random.permutation(order_key, len(images))[: steps * BATCH_SIZE]
    compute_gradients = jax.vmap(jax.grad(compute_loss), (0, None, None, 0, 0))

    def train_step(state: Any, batch: Any) -> Any:
        indices, number = batch
        step_key = jax.random.fold_in(distortion_key, number)
        patches = extract_patches(distort(step_key, images[indices], strengths))
        gradients = compute_gradients(
            state[0], patches, labels[indices], setting["activation"], setting["smoothing"]
        )
        step = epoch * steps + number + 1.0
        rate = schedule_rate(setting, step, epochs * steps)
        return update_weights(state, gradients, setting, step, rate), None

    batches = (order.reshape(steps, BATCH_SIZE), jnp.arange(steps))
    return jax.lax.scan(train_step, state, batches)[0]


@jax.jit
def predict(weights: Any, images: Any, activations: Any) -> Any:
    """Predicted labels (networks, N)."""
    patches = extract_patches(images)
    return jax.vmap(compute_logits, (0, None, 0))(weights, patches, activations).argmax(-1)


def count_errors(weights: Any, images: Any, labels: Any, activations: Any) -> np.ndarray:
    """The number of wrong predictions of each network."""
    errors = 0
    for start in range(0, len(images), 500):
        batch = slice(start, start + 500)
        wrong = predict(weights, images[batch], activations) != labels[batch]
        errors += np.asarray(wrong.sum(-1))
    return errors
