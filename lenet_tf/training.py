"""The fit wrapper: seed, device, callbacks, run folder around Keras' own `fit`."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lenet_tf import callbacks as watchers
from lenet_tf import device as devices
from lenet_tf import runs
from lenet_tf.data import RawData, Split, prepare_images, prepared_shape, split
from lenet_tf.engine import GraphLoop, engaged
from lenet_tf.engine_choice import choose_engine
from lenet_tf.errors import Interrupted, SpecError, TrainingError
from lenet_tf.evaluation import check_fits, evaluate
from lenet_tf.model import LeNet
from lenet_tf.optimizers import SDLM, OneCycle
from lenet_tf.pipeline import evaluation_batches, training_batches
from lenet_tf.report.lines import beginning_run
from lenet_tf.second_order import CURVATURE_IMAGES, Curvature
from lenet_tf.specs import Augmentation, Recipe, Spec, get_augmentation, get_recipe, get_spec


def fit(
    model: LeNet | Spec | str,
    data: RawData,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    recipe: Recipe | str | None = None,
    validation: float | str | None = None,
    seed: int | None = 0,
    device: str = "auto",
    logs: str | Path = "logs",
    deterministic: bool = False,
    precision: str = "float32",
    early_stopping: int | None = None,
    augmentation: Augmentation | str | None = None,
    engine: str = "auto",
    quiet: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> runs.Run:
    """Trains a network on a data set and leaves a run folder `<logs>/fit/<variant>-<date>-<time>/`.

    Args:
        model: a variant's name or a `Spec`, built here for these images; or a `LeNet`, trained on from the weights it has.
        data: raw images, see `lenet_tf.load_data`; prepared here as the spec says.
        recipe: another than the network's own: a `Recipe`, or the name of one of `lenet_tf.specs.RECIPES`, such as `fast` for
            `lenet5-modern`; for a model built here. After a run in one cycle the rate is 0: compile the model anew for Keras' own `fit`.
        epochs, batch_size, validation: None takes the recipe's; `validation` is the share of the training images held back, or `"test"`.
        seed: fixes initial weights (of a model built here), dropout, shuffling and the validation split: on a CPU the same seed gives the
            same weights bit for bit. None draws one and records it. Keras', NumPy's and Python's global generators are seeded with it.
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        deterministic: TensorFlow's deterministic operations, for equal results on a GPU too; slower. Stays on for the process.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`, for a model built here.
        early_stopping: stop after this many epochs without a better validation loss; None never stops early.
        augmentation: how the training images are distorted, anew for each epoch: an `Augmentation`, `affine`, `elastic`, `affine+elastic`,
            or `none`; None takes the recipe's.
        engine: `graph` takes many steps in one call of TensorFlow's graph, halves of a batch side by side: the mathematics of Keras' own
            step with other rounding; `keras` is Keras' own; `auto` takes `graph` on a CPU in float32.
        quiet: print nothing.
        callbacks: run after the package's own. With the graph engine, a "batch" of Keras' is a call of many steps.

    Raises:
        SpecError, DataError, DeviceError, RunError: something asked for cannot be; nothing has been written then.
        TrainingError: the loss became NaN or infinite; the run folder keeps the last good checkpoints.
    """
    given = model if isinstance(model, LeNet) else None
    changes = {"epochs": epochs, "batch_size": batch_size, "validation": validation}
    spec = _settled(model, recipe, augmentation, {name: value for name, value in changes.items() if value is not None})
    seed = random.SystemRandom().randrange(2**31) if seed is None else _checked_seed(seed)
    if early_stopping is not None and early_stopping < 1:
        raise TrainingError(f"early stopping needs at least 1 epoch of patience, not {early_stopping}")
    logs = Path(logs)
    runs.check_writable(logs)
    place = devices.choose(device)
    divided = split(data, spec.recipe.validation, seed)
    image_shape = prepared_shape(data, spec.preparation)

    with place.scope():
        keras.utils.set_random_seed(seed)
        if deterministic:
            devices.enable_determinism()
        if given is None:
            spec = spec.adapted(image_shape, data.num_classes)
        else:
            check_fits(given, image_shape, data)
        network = _ready(LeNet(spec, seed=seed, precision=precision) if given is None else given, place)
        loop, taking = choose_engine(engine, spec, network, place)
        _set_schedule(network, spec.recipe, len(divided.kept))
        folder = runs.create(logs, spec.name)
        settings = {"deterministic": deterministic, "precision": network.precision, "early_stopping": early_stopping, "engine": engine}
        started = {"seed": seed, "initial_weights": "seed" if given is None else "given", "settings": settings}
        runs.write_json(folder / "config.json", runs.describe(spec, data.identity(), {"name": place.name, "label": place.label}) | started)
        if not quiet:
            print(beginning_run(spec, divided, place, taking, seed, folder), flush=True)
        begin = time.perf_counter()
        history, test = _train(network, loop, divided, spec, folder, seed, early_stopping, quiet, callbacks)
        metrics = {"seconds": time.perf_counter() - begin} | _metrics(network, test, history)
    if not math.isfinite(metrics["test_loss"]):
        raise _diverged("on the test images", spec.recipe, folder)
    runs.write_json(folder / "metrics.json", metrics)
    return runs.Run(folder, history, metrics, network)


def _settled(
    model: LeNet | Spec | str, recipe: Recipe | str | None, augmentation: Augmentation | str | None, changes: dict[str, Any]
) -> Spec:
    """The network with the recipe that is to train it."""
    spec = model.spec if isinstance(model, LeNet) else get_spec(model) if isinstance(model, str) else model
    if not isinstance(spec, Spec):
        raise SpecError(f"model must be a variant's name, a Spec or a LeNet, not {type(model).__name__}")
    if recipe is not None and isinstance(model, LeNet):
        raise TrainingError("a LeNet that is given is compiled by its own recipe: give its name or Spec to train it by another")
    if not isinstance(recipe, Recipe | str | None):
        raise SpecError(f"recipe must be a Recipe or the name of one, not {recipe!r}")
    chosen = get_recipe(spec.name, recipe) if isinstance(recipe, str) else recipe or spec.recipe
    if augmentation is not None:
        changes = changes | {"augmentation": get_augmentation(augmentation)}
    return replace(spec, recipe=replace(chosen, **changes))


def _ready(network: LeNet, place: devices.Device) -> LeNet:
    if place.name == "/CPU:0":
        # Keras turns XLA on wherever it sees a GPU, in use or not: the CPU's results must not depend on that.
        network.jit_compile = False
    if not network.optimizer.built:
        network.optimizer.build(network.trainable_variables)
    return network


def _set_schedule(network: LeNet, recipe: Recipe, images: int) -> None:
    """Tells a schedule by steps how many this run takes; a model that goes on has a cycle of its own for it."""
    schedule = OneCycle.of(network.optimizer)
    if schedule is not None:
        schedule.first = int(network.optimizer.iterations)
        schedule.steps = recipe.epochs * math.ceil(images / recipe.batch_size)


def _train(
    network: LeNet,
    loop: GraphLoop | None,
    divided: Split,
    spec: Spec,
    folder: Path,
    seed: int,
    early_stopping: int | None,
    quiet: bool,
    extra: Sequence[keras.callbacks.Callback],
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """(Keras' history, loss and metrics on the test images)."""
    recipe = spec.recipe
    steps = 1 if loop is None else loop.steps
    images_a_call = recipe.batch_size * steps
    watching, nan = watchers.standard_callbacks(folder, early_stopping, steps)
    bar = None if quiet else watchers.progress_bar()
    raw, (x_validation, y_validation, held) = divided.raw, divided.validation
    prepared = {"num_classes": raw.num_classes, "preparation": spec.preparation}
    in_step = loop is not None and loop.prepare is not None
    training = {"prepared": not in_step, "batch_size": images_a_call, "seed": seed, "how": recipe.augmentation, "chosen": divided.kept}
    # Keras makes its metrics in the first step, which then has to be traced twice.
    nothing = keras.ops.zeros((1, raw.num_classes))
    network.compute_metrics(None, nothing, nothing)
    network.reset_metrics()
    try:
        with engaged(network, loop):
            history = network.fit(
                training_batches(raw.x_train, raw.y_train, **prepared, **training),
                steps_per_epoch=math.ceil(len(divided.kept) / images_a_call),
                shuffle=False,
                epochs=recipe.epochs,
                validation_data=evaluation_batches(x_validation, y_validation, **prepared, chosen=held),
                callbacks=[*watching, *_between_epochs(network, divided, spec, seed), *([bar] if bar is not None else []), *extra],
                verbose=0 if quiet or bar is not None else 2,
            ).history
            test = evaluate(network, raw) if not nan.failed_at else {}
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; {_kept(folder)}") from error
    finally:
        if bar is not None:
            bar.on_train_end()
    if nan.failed_at:
        raise _diverged(f"in {nan.failed_at}", recipe, folder)
    return history, test


def _between_epochs(network: LeNet, divided: Split, spec: Spec, seed: int) -> list[keras.callbacks.Callback]:
    """What the recipe changes from epoch to epoch."""
    optimizer = spec.recipe.optimizer
    changing = [keras.callbacks.LearningRateScheduler(optimizer.rate)] if isinstance(optimizer.learning_rate, tuple) else []
    if isinstance(network.optimizer, SDLM):

        def images(chosen: np.ndarray) -> np.ndarray:
            return prepare_images(divided.raw.x_train[divided.kept[chosen]], spec.preparation)

        changing.append(Curvature(images, len(divided.kept), optimizer.curvature_images or CURVATURE_IMAGES, seed))
    return changing


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


def _metrics(network: LeNet, test: dict[str, float], history: dict[str, list[float]]) -> dict[str, Any]:
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
