"""Tune lenet5-modern, its color twin and the paper's networks on held-out training images.

Appends one line per run to results/tuning.jsonl. The same 10,000 of the training images are held
out in every run and judge the settings; the test images are never read. A line holds the
setting, its changes to `BASE` or to the paper's, the seed, and the errors and the cross-entropy on
the held-out images after the last epoch. Usage: tune.py SETTING SEED.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
from common import RESULTS
from tune_settings import AFFINE, BASE, COLOR, PAPER, SETTINGS

import lenet_tf
from lenet_tf.data.dataset import RawData, stratified_split
from lenet_tf.evaluation.evaluate import to_probabilities
from lenet_tf.runtime import environment
from lenet_tf.specs import Augmentation, Optimizer, Recipe, get_recipe, get_spec

RESULT = RESULTS / "tuning.jsonl"
HELD_OUT = 10_000


def build_paper_recipe(setting: dict) -> Recipe:
    """Returns a recipe of the paper with the changes of a setting in `PAPER`."""
    variant = setting["variant"]
    if "recipe" in setting:
        recipe = get_recipe(variant, setting["recipe"])
    else:
        recipe = get_spec(variant).recipe
    # The paper gives LeNet-5's learning rates only; lenet4's own recipe has half of them.
    paper_rates = get_spec("lenet5-1998").recipe.optimizer.learning_rate
    rates = tuple(rate * setting.get("rates", 1.0) for rate in paper_rates)
    changes = {name: setting[name] for name in ("damping", "curvature_images") if name in setting}
    recipe = replace(
        recipe,
        optimizer=replace(recipe.optimizer, learning_rate=rates, **changes),
        epochs=recipe.epochs + setting.get("last", 0),
        validation="test",
    )
    if "adam" in setting:
        recipe = replace(recipe, optimizer=Optimizer("adam", setting["adam"]), batch_size=32)
    if "distorted" in setting:
        recipe = replace(recipe, augmentation=Augmentation(**AFFINE))
    if "squared_error" in setting:
        recipe = replace(recipe, loss="mean_squared_error")
    return recipe


def build_paper_spec(setting: dict) -> lenet_tf.Spec:
    """Returns a network of the paper with the changes of a setting in `PAPER`."""
    spec = get_spec(setting["variant"])
    rows = list(spec.rows)
    if "squared_error" in setting:
        rows[-1] = replace(rows[-1], activation="scaled_tanh")
    if "all_maps" in setting:
        table = (tuple(range(16)),) * 120
        rows = [
            replace(row, table=table) if getattr(row, "name", "") == "F5" else row for row in rows
        ]
    changes: dict[str, Any] = {"rows": tuple(rows), "recipe": build_paper_recipe(setting)}
    if changes["rows"] != spec.rows:
        changes |= {"expected_parameters": None, "expected_connections": None}
    return replace(spec, **changes)


def build_modern_spec(setting: dict, variant: str) -> lenet_tf.Spec:
    """Returns lenet5-modern, or its color twin, with every value of a complete setting."""
    spec = get_spec(variant)
    rows = list(spec.rows)
    for number, row in enumerate(rows):
        if getattr(row, "activation", "") == "relu":
            rows[number] = replace(row, activation=setting["activation"])
        elif hasattr(row, "pool"):
            rows[number] = replace(row, pool=setting["pool"])
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


def hold_out(raw: RawData) -> RawData:
    """Returns the training images only, with `HELD_OUT` of them in place of the test images."""
    train, held_out = stratified_split(raw.y_train, HELD_OUT, 0)
    images, labels = raw.x_train, raw.y_train
    parts = (images[train], labels[train], images[held_out], labels[held_out])
    return RawData(*parts, name="train", num_classes=raw.num_classes)


def measure(spec: lenet_tf.Spec, data: RawData, seed: int) -> dict[str, Any]:
    """Trains a network and returns what it reaches on the held-out images."""
    options = {"board": lenet_tf.Board(images_every=0), "report": False, "quiet": True}
    with tempfile.TemporaryDirectory() as logs:
        run = lenet_tf.fit(spec, data, seed=seed, logs=logs, device="cpu", **options)
        outputs = lenet_tf.predict_outputs(run, data.x_test)
    probabilities = to_probabilities(run.model, outputs)
    label_probabilities = probabilities[np.arange(len(data.y_test)), data.y_test]
    return {
        "errors": int((outputs.argmax(axis=1) != data.y_test).sum()),
        "cross_entropy": float(-np.log(label_probabilities + 1e-9).mean()),
        "last_epochs": [
            round(HELD_OUT * (1 - accuracy)) for accuracy in run.history["val_accuracy"][-5:]
        ],
        "training_accuracy": run.history["accuracy"][-1],
        "seconds": round(run.metrics["seconds"], 1),
    }


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("setting", choices=[*SETTINGS, *COLOR, *PAPER])
    parser.add_argument("seed", type=int)
    parser.add_argument("--epochs", type=int, help="instead of the setting's")
    parser.add_argument("--data", help="instead of MNIST, or of CIFAR-10's JPEG copy for color")
    options = parser.parse_args()
    if options.setting in PAPER:
        lenet_tf.use_one_thread()
        changes = PAPER[options.setting]
        spec = build_paper_spec(changes)
    else:
        settings = COLOR if options.setting in COLOR else SETTINGS
        variant = "lenet5-modern-color" if options.setting in COLOR else "lenet5-modern"
        changes = settings[options.setting] | ({"epochs": options.epochs} if options.epochs else {})
        spec = build_modern_spec(BASE | changes, variant)
    raw = lenet_tf.load_data(
        options.data or ("mnist" if options.setting not in COLOR else "cifar10_jpeg")
    )
    line = {
        "setting": options.setting,
        "changes": changes,
        "seed": options.seed,
        **measure(spec, hold_out(raw), options.seed),
        # Lines without these come from lenet_tf before 0.3.0, which held out other images.
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
