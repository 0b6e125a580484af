"""The fit wrapper: seed, device, callbacks, run folder around Keras' own `fit`."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from numbers import Integral
from pathlib import Path
from typing import Any

import keras

from lenet_tf import callbacks as watchers
from lenet_tf import device as devices
from lenet_tf import runs
from lenet_tf.data import RANGES, PreparedData, RawData, prepare
from lenet_tf.engine import STEPS_A_CALL, GraphLoop
from lenet_tf.errors import Interrupted, SpecError, TrainingError
from lenet_tf.evaluation import EVALUATION_BATCH, check_fits, evaluate_arrays
from lenet_tf.model import LeNet
from lenet_tf.pipeline import batches
from lenet_tf.second_order import CURVATURE_IMAGES, Curvature
from lenet_tf.specs import Augmentation, Recipe, Spec, get_augmentation, get_spec


def fit(
    model: LeNet | Spec | str,
    data: RawData,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    validation: float | str | None = None,
    seed: int | None = 0,
    device: str = "auto",
    logs: str | Path = "logs",
    deterministic: bool = False,
    precision: str = "float32",
    early_stopping: int | None = None,
    augmentation: Augmentation | str | None = None,
    quiet: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> runs.Run:
    """Trains a network on a data set and leaves a run folder `<logs>/fit/<variant>-<date>-<time>/`.

    Args:
        model: a variant's name or a `Spec`, built here for these images; or a `LeNet`, trained on from the weights it has.
        data: raw images, see `lenet_tf.load_data`; prepared here as the spec says.
        epochs, batch_size, validation: None takes the recipe's; `validation` is the share of the training images held back, or `"test"`.
        seed: fixes initial weights (of a model built here), dropout, shuffling and the validation split: on a CPU the same seed gives the
            same weights bit for bit. None draws one and records it. Keras', NumPy's and Python's global generators are seeded with it.
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        deterministic: TensorFlow's deterministic operations, for equal results on a GPU too; slower. Stays on for the process.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`, for a model built here.
        early_stopping: stop after this many epochs without a better validation loss; None never stops early.
        augmentation: how the training images are distorted, anew for each epoch: an `Augmentation`, `affine`, `elastic`, `affine+elastic`,
            or `none`; None takes the recipe's.
        quiet: print nothing.
        callbacks: run after the package's own.

    Raises:
        SpecError, DataError, DeviceError, RunError: something asked for cannot be; nothing has been written then.
        TrainingError: the loss became NaN or infinite; the run folder keeps the last good checkpoints.
    """
    given = model if isinstance(model, LeNet) else None
    spec = given.spec if given is not None else get_spec(model) if isinstance(model, str) else model
    if not isinstance(spec, Spec):
        raise SpecError(f"model must be a variant's name, a Spec or a LeNet, not {type(model).__name__}")
    changes = {"epochs": epochs, "batch_size": batch_size, "validation": validation}
    spec = replace(spec, recipe=replace(spec.recipe, **{name: value for name, value in changes.items() if value is not None}))
    if augmentation is not None:
        spec = replace(spec, recipe=replace(spec.recipe, augmentation=get_augmentation(augmentation)))
    seed = random.SystemRandom().randrange(2**31) if seed is None else _checked_seed(seed)
    if early_stopping is not None and early_stopping < 1:
        raise TrainingError(f"early stopping needs at least 1 epoch of patience, not {early_stopping}")
    logs = Path(logs)
    runs.check_writable(logs)
    place = devices.choose(device)
    prepared = prepare(data, spec.preparation, spec.recipe.validation, seed)

    with place.scope():
        keras.utils.set_random_seed(seed)
        if deterministic:
            _enable_determinism()
        if given is None:
            spec = spec.adapted(prepared.image_shape, data.num_classes)
            network = LeNet(spec, seed=seed, precision=precision)
        else:
            network = given
            check_fits(network, prepared.image_shape, data)
        if place.name == "/CPU:0":
            # Keras turns XLA on wherever it sees a GPU, in use or not: the CPU's results must not depend on that.
            network.jit_compile = False
        folder = runs.create(logs, spec.name)
        settings = {"deterministic": deterministic, "precision": network.precision, "early_stopping": early_stopping}
        started = {"seed": seed, "initial_weights": "seed" if given is None else "given", "settings": settings}
        runs.write_json(folder / "config.json", _config(spec, data, place) | started)
        if not quiet:
            print(_headline(spec, data, prepared, place, seed, folder), flush=True)
        begin = time.perf_counter()
        history = _train(network, prepared, spec, folder, seed, early_stopping, quiet, callbacks)
        metrics = {"seconds": time.perf_counter() - begin} | _metrics(network, prepared, history)
    if not math.isfinite(metrics["test_loss"]):
        raise _diverged("on the test images", spec.recipe, folder)
    runs.write_json(folder / "metrics.json", metrics)
    return runs.Run(folder, history, metrics, network)


def _train(
    network: LeNet,
    prepared: PreparedData,
    spec: Spec,
    folder: Path,
    seed: int,
    early_stopping: int | None,
    quiet: bool,
    extra: Sequence[keras.callbacks.Callback],
) -> dict[str, list[float]]:
    recipe = spec.recipe
    stepping, batch_size = _stepping(network, prepared, recipe, seed)
    watching, nan = watchers.standard_callbacks(folder, early_stopping, batch_size // recipe.batch_size)
    bar = None if quiet else watchers.progress_bar()
    try:
        history = network.fit(
            **_batches(prepared, spec, seed, batch_size),
            epochs=recipe.epochs,
            validation_data=(prepared.x_validation, prepared.y_validation),
            validation_batch_size=EVALUATION_BATCH,
            callbacks=[*watching, *stepping, *([bar] if bar is not None else []), *extra],
            verbose=0 if quiet or bar is not None else 2,
        ).history
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; {_kept(folder)}") from error
    finally:
        if bar is not None:
            bar.on_train_end()
    if nan.failed_at:
        raise _diverged(f"in {nan.failed_at}", recipe, folder)
    return history


def _stepping(network: LeNet, prepared: PreparedData, recipe: Recipe, seed: int) -> tuple[list[keras.callbacks.Callback], int]:
    """How the recipe takes its steps: callbacks for what changes between epochs, and the images that Keras hands over at a time."""
    optimizer = recipe.optimizer
    # The graph is made anew: it depends on the engine and on the optimiser.
    network.engine, network.train_function = None, None
    schedule = []
    if isinstance(optimizer.learning_rate, tuple):
        schedule = [keras.callbacks.LearningRateScheduler(optimizer.rate)]
    if optimizer.name != "sdlm":
        return schedule, recipe.batch_size
    network.engine = GraphLoop(recipe.batch_size)
    count = optimizer.curvature_images or CURVATURE_IMAGES
    return [*schedule, Curvature(prepared.x_train, count, seed)], recipe.batch_size * STEPS_A_CALL


def _batches(prepared: PreparedData, spec: Spec, seed: int, batch_size: int) -> dict[str, Any]:
    """The training images as Keras' `fit` takes them."""
    images, labels, how = prepared.x_train, prepared.y_train, spec.recipe.augmentation
    if how is None and batch_size == spec.recipe.batch_size:
        return {"x": images, "y": labels, "batch_size": batch_size}
    endless = batches(images, labels, batch_size, seed, how, background=RANGES[spec.preparation.normalisation][0])
    return {"x": endless, "steps_per_epoch": math.ceil(len(images) / batch_size), "shuffle": False}


def _diverged(where: str, recipe: Recipe, folder: Path) -> TrainingError:
    rate = f"{recipe.optimizer.rate(0):g}"
    return TrainingError(f"the loss became NaN or infinite {where}: is the learning rate {rate} too high?\n{_kept(folder)}")


def _kept(folder: Path) -> str:
    finished = (folder / "final.keras").exists()
    return f"{folder} keeps the last finished epoch in final.keras" if finished else f"{folder} has no finished epoch"


def _checked_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise TrainingError(f"the seed must be a whole number from 0 to {2**32 - 1}, not {seed!r}")
    return int(seed)


def _enable_determinism() -> None:
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()


def _config(spec: Spec, data: RawData, place: devices.Device) -> dict[str, Any]:
    table = spec.to_dict()
    return {
        "format": runs.FORMAT,
        "variant": spec.name,
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "recipe": table.pop("recipe"),
        "spec": table,
        "data": data.identity(),
        "device": {"name": place.name, "label": place.label},
        "versions": runs.versions(),
    }


def _headline(spec: Spec, data: RawData, prepared: PreparedData, place: devices.Device, seed: int, folder: Path) -> str:
    slow = spec.recipe.optimizer.name == "sdlm" and place.name == "/CPU:0" and not devices.uses_one_thread()
    hint = "        TensorFlow runs in several threads; lenet_tf.use_one_thread() before it starts is faster here\n" if slow else ""
    held = "the test images" if spec.recipe.validation == "test" else f"{len(prepared.x_validation):,} training images held back"
    return (
        f"{spec.name}  {spec.parameters:,} parameters, epochs {spec.recipe.epochs}, batch size {spec.recipe.batch_size}, seed {seed}\n"
        f"data    {data.name} {data.version} from {data.source}: {len(prepared.x_train):,} images to train,"
        f" {len(prepared.x_test):,} to test\n"
        f"        validated on {held}\n"
        f"device  {place.label}\n{hint}"
        f"run     {folder}"
    )


def _metrics(network: LeNet, prepared: PreparedData, history: dict[str, list[float]]) -> dict[str, Any]:
    test = evaluate_arrays(network, prepared.x_test, prepared.y_test)
    done = len(history["seconds"])
    best = max(range(done), key=lambda epoch: history["val_accuracy"][epoch])
    return {
        "test_accuracy": test["accuracy"],
        "test_loss": test["loss"],
        "epochs": done,
        "seconds_per_epoch": sum(history["seconds"]) / done,
        "best_epoch": best + 1,
        "best_val_accuracy": history["val_accuracy"][best],
        "parameters": network.count_params(),
    }
