"""The fit wrapper: what a run is asked for, checked and written down; `job` trains it."""

from __future__ import annotations

import contextlib
import math
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

import keras

from lenet_tf.data.dataset import RawData, prepared_shape, split_data
from lenet_tf.engine.selection import choose_engine
from lenet_tf.errors import SpecError, TrainingError
from lenet_tf.evaluation.evaluate import check_fits
from lenet_tf.io.atomic import atomic_write
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import find_one_cycle
from lenet_tf.runs import run_folder
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runtime import device as devices
from lenet_tf.runtime import tensorflow_start, threads
from lenet_tf.specs import Augmentation, Recipe, Spec, get_augmentation, get_recipe, get_spec
from lenet_tf.training.messages import run_start_message
from lenet_tf.training.tensorboard.options import Board
from lenet_tf.training.trainer import Trainer, run_lock

# The weights that a model brought with it.
INITIAL_WEIGHTS = "initial.keras"


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
    board: Board | None = None,
    report: bool = True,
    quiet: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> run_folder.Run:
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
        deterministic: TensorFlow's deterministic operations, for equal results on a GPU too, but slower there. On for the whole process.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`, for a model built here.
        early_stopping: stop after this many epochs without a better validation loss; None never stops early.
        augmentation: how the training images are distorted, anew for each epoch: an `Augmentation`, `affine`, `elastic`, `affine+elastic`,
            or `none`; None takes the recipe's.
        engine: `graph` takes many steps in one call of TensorFlow's graph, halves of a batch side by side: the mathematics of Keras' own
            step with other rounding; `keras` is Keras' own; `auto` takes `graph` on a CPU in float32.
        board: what TensorBoard shows beside scalars, texts and graph, see `lenet_tf.Board`; None: images after the first and the
            last epoch, and histograms of the weights.
        report: make report.html in the folder of the finished run, which takes some seconds.
        quiet: print nothing.
        callbacks: run before an epoch's files are written. With the graph engine, a "batch" of Keras' is a call of many steps.

    Raises:
        SpecError, DataError, DeviceError, RunError: something asked for cannot be; nothing has been written then.
        TrainingError: the loss became NaN or infinite; the run folder keeps the last good checkpoints.
        RunError: the folder could not be written to any more; finished epochs are kept, and `resume` goes on.
        Interrupted: after Ctrl-C or SIGTERM, of which the first lets the epoch finish and the second stops at once.
    """
    given = model if isinstance(model, LeNet) else None
    changes = {"epochs": epochs, "batch_size": batch_size, "validation": validation}
    spec = _settled(
        model,
        recipe,
        augmentation,
        {name: value for name, value in changes.items() if value is not None},
    )
    seed = random.SystemRandom().randrange(2**31) if seed is None else validate_seed(seed)
    check_patience(early_stopping)
    logs = Path(logs)
    run_folder.check_writable(logs)
    place = devices.choose_device(device)
    divided = split_data(data, spec.recipe.validation, seed)
    image_shape = prepared_shape(data, spec.preparation)
    settings = {
        "deterministic": deterministic,
        "precision": precision,
        "early_stopping": early_stopping,
        "engine": engine,
    }

    with training_context(place, seed, deterministic):
        if given is None:
            spec = spec.adapted(image_shape, data.num_classes)
        else:
            check_fits(given, image_shape, data)
            settings["precision"] = given.precision
        network = prepare_model(
            LeNet(spec, seed=seed, precision=precision) if given is None else given, place
        )
        loop, taking = choose_engine(engine, spec, network, place)
        set_schedule(network, spec.recipe, len(divided.kept))
        began = {
            "seed": seed,
            "initial_weights": "seed" if given is None else "given",
            "settings": settings,
        }
        began |= {"tensorboard": (board or Board()).to_dict()}
        config = (
            run_folder.build_config(
                spec,
                data.identity(),
                {
                    "name": place.name,
                    "label": place.label,
                    "threads": threads.read_thread_settings(),
                },
            )
            | began
        )
        folder = run_folder.create_run_folder(logs, spec.name)
        with run_lock(folder):
            _begin(folder, config, given)
            if not quiet:
                print(run_start_message(spec, divided, place, taking, seed, folder), flush=True)
            return Trainer(
                network,
                loop,
                spec,
                divided,
                folder,
                seed,
                Progress(),
                early_stopping,
                quiet,
                report,
                callbacks,
            ).run()


@contextlib.contextmanager
def training_context(place: devices.Device, seed: int, deterministic: bool) -> Iterator[None]:
    with place.scope(), tensorflow_start.hide_retracing_advice():
        keras.utils.set_random_seed(seed)
        if deterministic:
            tensorflow_start.enable_determinism()
        yield


def _begin(folder: Path, config: dict[str, Any], given: LeNet | None) -> None:
    """Leaves what a run needs to begin again, or no folder."""
    try:
        if given is not None:
            with atomic_write(folder / INITIAL_WEIGHTS) as partial:
                given.save(partial)
        run_folder.write_json(folder / "config.json", config)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise run_folder.unwritable_error(folder.parent, error) from error
        raise


def _settled(
    model: LeNet | Spec | str,
    recipe: Recipe | str | None,
    augmentation: Augmentation | str | None,
    changes: dict[str, Any],
) -> Spec:
    """The network with the recipe that is to train it."""
    spec = (
        model.spec
        if isinstance(model, LeNet)
        else get_spec(model)
        if isinstance(model, str)
        else model
    )
    if not isinstance(spec, Spec):
        raise SpecError(
            f"model must be a variant's name, a Spec or a LeNet, not {type(model).__name__}"
        )
    if recipe is not None and isinstance(model, LeNet):
        raise TrainingError(
            "a LeNet that is given is compiled by its own recipe: give its name or Spec to train it by another"
        )
    if not isinstance(recipe, Recipe | str | None):
        raise SpecError(f"recipe must be a Recipe or the name of one, not {recipe!r}")
    chosen = get_recipe(spec.name, recipe) if isinstance(recipe, str) else recipe or spec.recipe
    if augmentation is not None:
        changes = changes | {"augmentation": get_augmentation(augmentation)}
    return replace(spec, recipe=replace(chosen, **changes))


def prepare_model(network: LeNet, place: devices.Device) -> LeNet:
    if place.name == "/CPU:0":
        # Keras turns XLA on wherever it sees a GPU, in use or not: the CPU's results must not depend on that.
        network.jit_compile = False
    if not network.optimizer.built:
        network.optimizer.build(network.trainable_variables)
    # Keras makes its metrics in the first step, which then has to be traced twice.
    nothing = keras.ops.zeros((1, network.output_shape[-1]))
    if "accuracy" not in network.compute_metrics(None, nothing, nothing):
        raise TrainingError(
            f"{network.name} is compiled without the metric accuracy, by which the best epoch is chosen: compile it with that"
        )
    network.reset_metrics()
    return network


def set_schedule(network: LeNet, recipe: Recipe, images: int) -> None:
    """Tells a schedule by steps how many this run takes; a model that goes on has a cycle of its own for it."""
    schedule = find_one_cycle(network.optimizer)
    if schedule is not None:
        schedule.first = int(network.optimizer.iterations)
        schedule.steps = recipe.epochs * math.ceil(images / recipe.batch_size)


def check_patience(early_stopping: int | None) -> None:
    if early_stopping is not None and early_stopping < 1:
        raise TrainingError(
            f"early stopping needs at least 1 epoch of patience, not {early_stopping}"
        )


def validate_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**32:
        raise TrainingError(f"the seed must be a whole number from 0 to {2**32 - 1}, not {seed!r}")
    return int(seed)
