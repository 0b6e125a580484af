"""Settings for a longer recipe of lenet5-modern, and for what misses its target of 1998, tried on training images: results/tuning.jsonl.

Of the 60,000 training images 10,000, always the same, are held back and judge; the test images are never read. A line a run: the setting
as it differs from `BASE` or from the paper's, the seed, and errors and cross-entropy on the held-back images after
the last epoch. Usage: tune.py SETTING SEED.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

import lenet_tf
from lenet_tf.data.dataset import RawData, stratified_split
from lenet_tf.evaluation.evaluate import to_probabilities
from lenet_tf.runtime import environment
from lenet_tf.specs import Augmentation, Optimizer, Recipe, get_recipe, get_spec

RESULT = Path(__file__).parent.parent / "results" / "tuning.jsonl"
AFFINE = {"translation": 1.5, "scaling": 0.1, "squeezing": 0.1, "shear": 0.15}
GENTLE = {"translation": 1.0, "scaling": 0.07, "squeezing": 0.07, "shear": 0.1}
STRONG = {"translation": 2.0, "scaling": 0.15, "squeezing": 0.15, "shear": 0.25}
# activation, pool, epochs, batch size, peak rate, weight decay, β2, warm-up, label smoothing, distortions
BASE = {
    "activation": "relu",
    "pool": "max",
    "epochs": 40,
    "batch_size": 64,
    "rate": 0.005,
    "decay": 0.01,
    "beta_2": 0.99,
    "warm_up": None,
    "smoothing": 0.05,
    "distortions": AFFINE,
}
SETTINGS: dict[str, dict] = {
    "base": {},
    "gelu": {"activation": "gelu"},
    "gelu-strong": {"activation": "gelu", "distortions": STRONG},
    "gelu-elastic": {"activation": "gelu", "distortions": AFFINE | {"elastic": 20.0}},
    "gelu-smooth-0": {"activation": "gelu", "smoothing": 0.0},
    "gelu-smooth-10": {"activation": "gelu", "smoothing": 0.1},
    "gelu-batch-128": {"activation": "gelu", "batch_size": 128},
    "gelu-rate-8": {"activation": "gelu", "rate": 0.008},
    "gelu-rate-3": {"activation": "gelu", "rate": 0.003},
    "gelu-decay-5": {"activation": "gelu", "decay": 0.05},
    "gelu-decay-20": {"activation": "gelu", "decay": 0.2},
    "gelu-60": {"activation": "gelu", "epochs": 60},
    "strong-100": {"distortions": STRONG, "epochs": 100},
    "strong": {"distortions": STRONG},
    "gelu-strong-60": {"activation": "gelu", "distortions": STRONG, "epochs": 60},
    "silu": {"activation": "silu"},
    "gentle": {"distortions": GENTLE},
    "gentle-elastic": {"distortions": GENTLE | {"elastic": 15.0}},
    "elastic": {"distortions": AFFINE | {"elastic": 20.0}},
    "smooth-0": {"smoothing": 0.0},
    "rate-3": {"rate": 0.003},
    "rate-8": {"rate": 0.008},
    "decay-5": {"decay": 0.05},
    "decay-10": {"decay": 0.1},
    "batch-128": {"batch_size": 128},
    "average": {"pool": "average"},
}


# The paper's networks that miss their targets; `rates` is what the paper's are multiplied by, `last` how many passes more there are at the
# last of them.
_EQ8, _LENET4 = {"variant": "lenet5-1998", "recipe": "eq8"}, {"variant": "lenet4"}
PAPER: dict[str, dict] = {
    "eq8": _EQ8,
    "eq8-damping-5": _EQ8 | {"damping": 0.05},
    "eq8-damping-10": _EQ8 | {"damping": 0.1},
    "eq8-rates-half": _EQ8 | {"rates": 0.5},
    "eq8-rates-quarter": _EQ8 | {"rates": 0.25},
    "eq8-rates-double": _EQ8 | {"rates": 2.0},
    "eq8-curvature-2000": _EQ8 | {"curvature_images": 2000},
    "eq8-longer": _EQ8 | {"last": 10},
    "eq8-half-longer": _EQ8 | {"rates": 0.5, "last": 10},
    "eq8-quarter-longer": _EQ8 | {"rates": 0.25, "last": 10},
    "lenet4": _LENET4,
    "lenet4-adam": _LENET4 | {"adam": 0.001},
    "lenet4-squared-error": _LENET4 | {"squared_error": True},
    # Keras' mean over the ten outputs has a tenth of the sum's gradients and second derivatives.
    "lenet4-squared-error-sum": _LENET4 | {"squared_error": True, "damping": 0.002},
    "lenet4-all-maps": _LENET4 | {"all_maps": True},
    "lenet4-distorted": _LENET4 | {"distorted": True},
    "lenet4-damping-10": _LENET4 | {"damping": 0.1},
    "lenet4-half-damping-10": _LENET4 | {"rates": 0.5, "damping": 0.1},
    "lenet4-half-distorted": _LENET4 | {"rates": 0.5, "distorted": True},
    "lenet4-quarter-longer": _LENET4 | {"rates": 0.25, "last": 10},
    "lenet4-half-longer": _LENET4 | {"rates": 0.5, "last": 10},
    "lenet4-rates-half": _LENET4 | {"rates": 0.5},
    "lenet4-rates-quarter": _LENET4 | {"rates": 0.25},
    "lenet4-rates-double": _LENET4 | {"rates": 2.0},
}


def paper_spec(setting: dict) -> lenet_tf.Spec:
    spec, rows = get_spec(setting["variant"]), list(get_spec(setting["variant"]).rows)
    recipe = (
        get_recipe(setting["variant"], setting["recipe"]) if "recipe" in setting else spec.recipe
    )
    # lenet4's own are half of LeNet-5's, the only ones that the paper gives.
    rates = [
        rate * setting.get("rates", 1.0)
        for rate in get_spec("lenet5-1998").recipe.optimizer.learning_rate
    ]
    changes = {name: setting[name] for name in ("damping", "curvature_images") if name in setting}
    optimizer = replace(recipe.optimizer, learning_rate=tuple(rates), **changes)
    recipe = replace(
        recipe,
        optimizer=optimizer,
        epochs=recipe.epochs + setting.get("last", 0),
        validation="test",
    )
    if "adam" in setting:
        recipe = replace(recipe, optimizer=Optimizer("adam", setting["adam"]), batch_size=32)
    if "distorted" in setting:
        recipe = replace(recipe, augmentation=Augmentation(**AFFINE))
    if "squared_error" in setting:
        rows[-1], recipe = (
            replace(rows[-1], activation="scaled_tanh"),
            replace(recipe, loss="mean_squared_error"),
        )
    if "all_maps" in setting:
        whole = tuple(range(16))
        rows = [
            replace(row, table=(whole,) * 120) if getattr(row, "name", "") == "F5" else row
            for row in rows
        ]
    counts = (
        {}
        if rows == list(spec.rows)
        else {"expected_parameters": None, "expected_connections": None}
    )
    return replace(spec, rows=tuple(rows), recipe=recipe, **counts)


def spec_of(setting: dict) -> lenet_tf.Spec:
    spec = get_spec("lenet5-modern")
    rows = [
        replace(row, activation=setting["activation"])
        if getattr(row, "activation", "") == "relu"
        else row
        for row in spec.rows
    ]
    rows = [replace(row, pool=setting["pool"]) if hasattr(row, "pool") else row for row in rows]
    optimizer = Optimizer(
        "adamw",
        setting["rate"],
        beta_2=setting["beta_2"],
        weight_decay=setting["decay"],
        schedule="one_cycle",
        warm_up=setting["warm_up"],
    )
    recipe = Recipe(
        optimizer,
        epochs=setting["epochs"],
        batch_size=setting["batch_size"],
        validation="test",
        augmentation=Augmentation(**setting["distortions"]),
        label_smoothing=setting["smoothing"],
    )
    return replace(spec, rows=tuple(rows), recipe=recipe)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("setting", choices=[*SETTINGS, *PAPER])
    parser.add_argument("seed", type=int)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    if options.setting in PAPER:
        lenet_tf.use_one_thread()
        changes = PAPER[options.setting]
        spec = paper_spec(changes)
    else:
        changes = SETTINGS[options.setting] | ({"epochs": options.epochs} if options.epochs else {})
        spec = spec_of(BASE | changes)
    raw = lenet_tf.load_data("mnist")
    kept, held = stratified_split(raw.y_train, 10_000, 0)
    # What `fit` takes for test images are the held-back ones.
    blind = RawData(
        raw.x_train[kept],
        raw.y_train[kept],
        raw.x_train[held],
        raw.y_train[held],
        name="mnist-train",
    )
    with tempfile.TemporaryDirectory() as logs:
        plain = {"board": lenet_tf.Board(images_every=0), "report": False, "quiet": True}
        run = lenet_tf.fit(spec, blind, seed=options.seed, logs=logs, device="cpu", **plain)
        answers = lenet_tf.predict(run, blind.x_test)
    line = {
        "setting": options.setting,
        "changes": changes,
        "seed": options.seed,
        "errors": int((answers.argmax(axis=1) != blind.y_test).sum()),
        "cross_entropy": float(
            -np.log(
                to_probabilities(run.model, answers)[np.arange(len(held)), blind.y_test] + 1e-9
            ).mean()
        ),
        "last_epochs": [
            round(10_000 * (1 - accuracy)) for accuracy in run.history["val_accuracy"][-5:]
        ],
        "training_accuracy": run.history["accuracy"][-1],
        "seconds": round(run.metrics["seconds"], 1),
        # Lines without these are of lenet_tf before 0.3.0: of TFDS' order of images, in which other ones were held back.
        "data": raw.sha256,
        "commit": environment.git_commit(),
        "versions": {package: version(package) for package in ("tensorflow", "keras")},
    }
    RESULT.parent.mkdir(exist_ok=True)
    with RESULT.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(line)


if __name__ == "__main__":
    main()
