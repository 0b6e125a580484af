"""Search settings for a longer recipe of lenet5-modern, into results/sweep.jsonl.

JAX trains many networks at once on one GPU. The network, distortions, AdamW and one-cycle rates are
those of lenet_tf, written again so that tens of networks share every batch (`vmap`), each with its
own setting and initial weights. They train on 50,000 training images and are judged on the 10,000
of a stratified split with seed 0; the test images are never read. Settings that share batches and
seeds compare well with each other, less well with other jobs. This is a search and not a result:
lenet_tf trains what it finds. The committed lines took 12 minutes on one H100. `lenet-tf sweep`
searches any network on processors.

Usage: sweep.py IMAGES.npz [RESULT.jsonl], with x, y for training and xv, yv held out: images
(N, 28, 28) of 0…255 and their labels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sweep_model
from sweep_settings import BASE, DISTORTIONS, JOBS


def train(
    data: dict[str, Any], distortions: str, epochs: int, settings: list[dict[str, Any]], seeds: int
) -> list[dict[str, Any]]:
    """Trains every setting with every seed and returns one line per setting."""
    rows = [BASE | setting for setting in settings for _ in range(seeds)]
    rows = [row | {"activation": sweep_model.ACTIVATIONS[row["activation"]]} for row in rows]
    setting = {name: jnp.asarray([float(row[name]) for row in rows]) for name in BASE}
    weight_seeds = jnp.asarray([1000 + seed for _ in settings for seed in range(seeds)])
    weights = jax.vmap(sweep_model.init_weights)(jax.vmap(jax.random.key)(weight_seeds))
    moments = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
    state = (weights, *moments, jax.tree.map(jnp.copy, weights))
    key, strengths = jax.random.key(0), jnp.asarray(DISTORTIONS[distortions])
    for epoch in range(epochs):
        numbers = (jnp.float32(epoch), jnp.float32(epochs))
        state = sweep_model.train_epoch(
            state, data["x"], data["y"], key, *numbers, strengths, setting
        )

    def count_errors(weights: Any) -> list[list[int]]:
        errors = sweep_model.count_errors(weights, data["xv"], data["yv"], setting["activation"])
        return errors.reshape(-1, seeds).tolist()

    return [
        {
            "distortions": distortions,
            "epochs": epochs,
            "setting": changes,
            "errors": errors,
            "errors_of_mean_weights": mean_errors,
        }
        for changes, errors, mean_errors in zip(
            settings, count_errors(state[0]), count_errors(state[3]), strict=True
        )
    ]


def load_images(path: str) -> dict[str, Any]:
    """Loads the arrays of an .npz file, images scaled to 0…1."""
    with np.load(path) as arrays:
        return {
            name: jnp.asarray(array, jnp.float32) / 255
            if name.startswith("x")
            else jnp.asarray(array)
            for name, array in arrays.items()
        }


def main() -> None:
    data = load_images(sys.argv[1])
    result = Path(sys.argv[2] if len(sys.argv) > 2 else "results/sweep.jsonl")
    for job in JOBS:
        lines = train(data, *job)
        with result.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        for line in lines:
            names = (line["distortions"], line["epochs"], line["setting"])
            print(*names, f"{np.mean(line['errors']):.1f}", flush=True)


if __name__ == "__main__":
    main()
