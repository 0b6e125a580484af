"""Settings for a longer recipe of lenet5-modern, many networks at once on one GPU, in JAX: results/sweep.jsonl.

A search for settings and not a result: the same network, distortions, AdamW and one-cycle rates as lenet_tf's, written anew so that tens of
networks, each with a setting and initial weights of its own, share every batch (`vmap`). Trained on the 50,000 images that tune.py trains
on and judged on the 10,000 that it holds back; the test images are never read. What comes of it is trained by lenet_tf itself. Where
settings share batches and seeds, their differences are seen better than their levels. The committed lines: one H100, 12 minutes.

Usage: sweep.py IMAGES.npz [RESULT.jsonl], with x, y, xv, yv: kept and held-back images (N, 28, 28) of 0…255 and their labels.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

BATCH = 64
# The distortions by name: translation, scaling, squeezing, shear, elastic (`lenet_tf.specs.Augmentation`).
DISTORTIONS = {
    "gentle": (1.0, 0.07, 0.07, 0.1, 0.0),
    "affine": (1.5, 0.1, 0.1, 0.15, 0.0),
    "medium": (1.5, 0.15, 0.15, 0.2, 0.0),
    "strong": (2.0, 0.15, 0.15, 0.25, 0.0),
    "affine+elastic": (1.5, 0.1, 0.1, 0.15, 15.0),
    "strong+elastic": (2.0, 0.15, 0.15, 0.25, 15.0),
}
ACTIVATIONS = {"relu": 0.0, "gelu": 1.0, "silu": 2.0}
BASE = {
    "activation": "relu",
    "rate": 0.005,
    "decay": 0.01,
    "smoothing": 0.05,
    "beta_2": 0.99,
    "cosine": False,
}
# Share of the old in the running mean of the weights, which is judged beside them.
MEAN = 0.999
GELU, SILU = {"activation": "gelu"}, {"activation": "silu"}
_FIRST = [
    *(
        {},
        GELU,
        SILU,
        GELU | {"rate": 0.003},
        GELU | {"rate": 0.008},
        GELU | {"decay": 0.05},
        GELU | {"smoothing": 0.0},
    ),
    *(
        GELU | {"smoothing": 0.1},
        {"decay": 0.05},
        {"rate": 0.008},
        {"smoothing": 0.0},
        GELU | {"cosine": True},
    ),
]
_LONG = [
    {},
    GELU,
    SILU,
    GELU | {"decay": 0.05},
    GELU | {"smoothing": 0.0},
    {"smoothing": 0.0, "decay": 0.05},
]
_TENTH = {"decay": 0.1}
_DECAYS = [
    *(
        _TENTH,
        {"decay": 0.2},
        {"decay": 0.4},
        _TENTH | {"rate": 0.003},
        _TENTH | {"rate": 0.008},
        _TENTH | {"smoothing": 0.1},
    ),
    *(
        _TENTH | {"smoothing": 0.0},
        GELU | _TENTH,
        GELU | {"decay": 0.2},
        SILU | _TENTH,
        _TENTH | {"beta_2": 0.95},
    ),
    _TENTH | {"cosine": True},
]
_ELASTIC = [
    {"decay": 0.05},
    _TENTH,
    {"decay": 0.2},
    GELU | _TENTH,
    _TENTH | {"smoothing": 0.1},
    {"decay": 0.2, "smoothing": 0.1},
]
# (distortions, epochs, settings, seeds)
JOBS = [
    *(
        ("affine", 40, _FIRST, 8),
        ("affine", 100, _LONG, 6),
        ("strong", 100, _LONG, 6),
        ("affine+elastic", 100, _LONG, 6),
    ),
    *(
        ("gentle", 100, _LONG, 6),
        ("medium", 60, _LONG, 6),
        ("affine", 40, _DECAYS, 8),
        ("affine+elastic", 40, _ELASTIC, 6),
    ),
    (
        "affine+elastic",
        100,
        [{"decay": 0.05}, _TENTH, {"decay": 0.2}, _TENTH | {"smoothing": 0.1}],
        6,
    ),
    ("strong+elastic", 60, [{"decay": 0.05}, _TENTH, GELU | _TENTH], 6),
]


def distorted(key: Any, images: Any, how: Any) -> Any:
    """Images (N, 28, 28), each distorted in its own way; see `lenet_tf.data.augmentation`."""
    count = len(images)
    affine_key, elastic_key = jax.random.split(key)
    drawn = jax.random.uniform(affine_key, (6, count, 1, 1), minval=-1, maxval=1)
    down, right = how[0] * drawn[0], how[0] * drawn[1]
    scale, squeeze, shear = 1 + how[1] * drawn[2], 1 + how[2] * drawn[3], how[3] * drawn[4]
    y, x = (
        jnp.arange(28.0)[None, :, None] - 13.5 - down,
        jnp.arange(28.0)[None, None, :] - 13.5 - right,
    )
    apart = jnp.arange(28.0)[:, None] - jnp.arange(28.0)
    gaussian = jnp.exp(-((apart / 4) ** 2) / 2) / (4 * np.sqrt(2 * np.pi))
    fields = jax.random.uniform(elastic_key, (2, count, 28, 28), minval=-1, maxval=1)
    moved = how[4] * jnp.einsum("ij,abjk,kl->abil", gaussian, fields, gaussian, precision="highest")
    rows, columns = (
        y * squeeze / scale + 13.5 + moved[0],
        (x - shear * y) / (scale * squeeze) + 13.5 + moved[1],
    )
    framed = jnp.pad(images, ((0, 0), (1, 1), (1, 1))).reshape(count, 900)
    rows, columns = jnp.clip(rows + 1, 0.0, 29.0), jnp.clip(columns + 1, 0.0, 29.0)
    row, column = jnp.minimum(jnp.floor(rows), 28.0), jnp.minimum(jnp.floor(columns), 28.0)
    first = (row * 30 + column).astype(jnp.int32).reshape(count, -1)
    corners = [
        jnp.take_along_axis(framed, first + step, 1).reshape(count, 28, 28)
        for step in (0, 1, 30, 31)
    ]
    upper, lower = (
        left + (columns - column) * (right - left) for left, right in (corners[:2], corners[2:])
    )
    return upper + (rows - row) * (lower - upper)


def initial(key: Any) -> dict[str, Any]:
    """He's normal distribution, Glorot's uniform one for the output; biases 0."""
    keys, sizes = jax.random.split(key, 5), [(25, 6), (150, 16), (400, 120), (120, 84), (84, 10)]
    weights = {}
    for number, (one, size) in enumerate(zip(keys, sizes, strict=True), 1):
        normal = (
            jax.random.truncated_normal(one, -2.0, 2.0, size) * np.sqrt(2 / size[0]) / 0.87962566
        )
        bound = np.sqrt(6 / sum(size))
        weights[f"w{number}"] = (
            normal if number < 5 else jax.random.uniform(one, size, minval=-bound, maxval=bound)
        )
        weights[f"b{number}"] = jnp.zeros(size[1])
    return weights


def patches(images: Any) -> Any:
    """(N, 28, 28) → (N, 784, 25), zeros around."""
    framed = jnp.pad(images, ((0, 0), (2, 2), (2, 2)))
    return jnp.stack(
        [framed[:, i : i + 28, j : j + 28] for i in range(5) for j in range(5)], -1
    ).reshape(-1, 784, 25)


def _pooled(maps: Any) -> Any:
    count, height, width, depth = maps.shape
    return maps.reshape(count, height // 2, 2, width // 2, 2, depth).max(axis=(2, 4))


def logits(weights: dict[str, Any], taken: Any, kind: Any) -> Any:
    def activation(x: Any) -> Any:
        return jnp.where(
            kind == 0,
            jnp.maximum(x, 0),
            jnp.where(kind == 1, jax.nn.gelu(x, approximate=False), jax.nn.silu(x)),
        )

    count = len(taken)
    maps = _pooled(activation(taken @ weights["w1"] + weights["b1"]).reshape(count, 28, 28, 6))
    second = jnp.concatenate(
        [maps[:, i : i + 10, j : j + 10] for i in range(5) for j in range(5)], -1
    ).reshape(count, 100, 150)
    units = _pooled(
        activation(second @ weights["w2"] + weights["b2"]).reshape(count, 10, 10, 16)
    ).reshape(count, 400)
    for number in (3, 4):
        units = activation(units @ weights[f"w{number}"] + weights[f"b{number}"])
    return units @ weights["w5"] + weights["b5"]


def _loss(weights: dict[str, Any], taken: Any, labels: Any, kind: Any, smoothing: Any) -> Any:
    targets = jax.nn.one_hot(labels, 10) * (1 - smoothing) + smoothing / 10
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(logits(weights, taken, kind)), -1))


def _each(numbers: Any, like: Any) -> Any:
    return numbers.reshape((-1,) + (1,) * (like.ndim - 1))


@partial(jax.jit, donate_argnums=0)
def epoch(
    state: Any,
    images: Any,
    labels: Any,
    key: Any,
    number: Any,
    epochs: Any,
    how: Any,
    setting: dict[str, Any],
) -> Any:
    """All networks' (weights, first and second moments, running mean of the weights) after an epoch; `setting`: name → (networks,)."""
    steps = len(images) // BATCH
    order_key, distortion_key = jax.random.split(jax.random.fold_in(key, number))
    order = jax.random.permutation(order_key, len(images))[: steps * BATCH].reshape(steps, BATCH)

    def step(state: Any, at: Any) -> Any:
        weights, first, second, mean = state
        chosen, place = at
        taken = patches(distorted(jax.random.fold_in(distortion_key, place), images[chosen], how))
        gradients = jax.vmap(jax.grad(_loss), (0, None, None, 0, 0))(
            weights, taken, labels[chosen], setting["activation"], setting["smoothing"]
        )
        done, whole = number * steps + place + 1.0, epochs * steps
        top = jnp.maximum(1.0, whole / 4)
        falling = jnp.where(
            setting["cosine"] > 0,
            0.5 + 0.5 * jnp.cos(jnp.pi * (done - top) / (whole - top)),
            (whole + 1 - done) / (whole + 1 - top),
        )
        rate, beta_2 = (
            setting["rate"] * jnp.where(done < top, done / top, falling),
            setting["beta_2"],
        )
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
        second = jax.tree.map(
            lambda v, g: _each(beta_2, v) * v + (1 - _each(beta_2, v)) * g * g, second, gradients
        )
        by, against, decay = rate / (1 - 0.9**done), 1 - beta_2**done, 1 - rate * setting["decay"]
        weights = jax.tree.map(
            lambda w, m, v: (
                _each(decay, w) * w - _each(by, w) * m / (jnp.sqrt(v / _each(against, v)) + 1e-7)
            ),
            weights,
            first,
            second,
        )
        share = jnp.minimum(MEAN, 1 - 1 / done)
        return (
            weights,
            first,
            second,
            jax.tree.map(lambda a, w: share * a + (1 - share) * w, mean, weights),
        ), None

    return jax.lax.scan(step, state, (order, jnp.arange(steps)))[0]


@jax.jit
def _answers(weights: Any, images: Any, kinds: Any) -> Any:
    return jax.vmap(logits, (0, None, 0))(weights, patches(images), kinds).argmax(-1)


def errors(weights: Any, images: Any, labels: Any, kinds: Any) -> np.ndarray:
    """Wrong answers of each network."""
    return sum(
        np.asarray(
            (_answers(weights, images[at : at + 500], kinds) != labels[at : at + 500]).sum(-1)
        )
        for at in range(0, len(images), 500)
    )


def train(
    data: dict[str, Any], distortions: str, epochs: int, settings: list[dict[str, Any]], seeds: int
) -> list[dict[str, Any]]:
    """A line for each setting."""
    rows = [BASE | setting for setting in settings for _ in range(seeds)]
    rows = [row | {"activation": ACTIVATIONS[row["activation"]]} for row in rows]
    setting = {name: jnp.asarray([float(row[name]) for row in rows]) for name in BASE}
    weights = jax.vmap(initial)(
        jax.vmap(jax.random.key)(
            jnp.asarray([1000 + seed for _ in settings for seed in range(seeds)])
        )
    )
    zeros = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
    state, key, how = (
        (weights, *zeros, jax.tree.map(jnp.copy, weights)),
        jax.random.key(0),
        jnp.asarray(DISTORTIONS[distortions]),
    )
    for number in range(epochs):
        state = epoch(
            state, data["x"], data["y"], key, jnp.float32(number), jnp.float32(epochs), how, setting
        )
    found = [
        errors(weights, data["xv"], data["yv"], setting["activation"]).reshape(-1, seeds).tolist()
        for weights in (state[0], state[3])
    ]
    return [
        {
            "distortions": distortions,
            "epochs": epochs,
            "setting": setting,
            "errors": last,
            "errors_of_mean_weights": mean,
        }
        for setting, last, mean in zip(settings, *found, strict=True)
    ]


def main() -> None:
    images = np.load(sys.argv[1])
    data = {
        name: jnp.asarray(images[name], jnp.float32) / 255
        if name.startswith("x")
        else jnp.asarray(images[name])
        for name in images
    }
    result = Path(sys.argv[2] if len(sys.argv) > 2 else "results/sweep.jsonl")
    for job in JOBS:
        lines = train(data, *job)
        with result.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        for line in lines:
            print(
                line["distortions"],
                line["epochs"],
                line["setting"],
                f"{np.mean(line['errors']):.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
