"""The fit wrapper: from a network and a data set to a finished run."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from lenet_tf.data.dataset import RawData, split_data
from lenet_tf.errors import TrainingError
from lenet_tf.evaluation.evaluate import check_fits
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs import run_folder
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runtime import device as devices
from lenet_tf.runtime.several_devices import check_no_strategy
from lenet_tf.specs import Augmentation, Recipe, Spec
from lenet_tf.training.callbacks import list_callbacks
from lenet_tf.training.config import TrainConfig, random_seed
from lenet_tf.training.model_setup import check_memory, training_context
from lenet_tf.training.new_run import describe_run, write_record
from lenet_tf.training.saved_model import check_can_be_saved
from lenet_tf.training.tensorboard.options import Board
from lenet_tf.training.trainer import Trainer


def fit(
    model: LeNet | Spec | str | Path,
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
    split_seed: int | None = None,
    test: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback | None = None,
    **changes: Any,
) -> run_folder.Run:
    """Train a network on a data set and write a run folder.

    The folder is `<logs>/fit/<variant>-<date>-<time>/`. Besides checkpoints and metrics it records
    the kernels of the first convolution before training and after each epoch, in kernels.npz.
    Threads that train at the same time wait for each other.

    Args:
        model: A variant's name, a TOML file (`"my-net.toml"`) or a `Spec`, built here for these
            images; or a `LeNet`, whose training continues from its weights.
        data: Raw images and labels, see `lenet_tf.load_data`. They are prepared here as the spec
            says.
        epochs: Number of epochs. None takes the recipe's.
        batch_size: Images per training step. None takes the recipe's.
        recipe: A `Recipe`, or the name of one of `lenet_tf.specs.RECIPES`, such as `fast` for
            `lenet5-modern`. Only for a model that is built here. After a one-cycle run the
            learning rate is 0: compile the model again before Keras' own `fit`.
        validation: Fraction of the training images to hold out, or `"test"` to validate on the
            test images. None takes the recipe's.
        seed: Seed of initial weights, dropout, shuffling and the split. On a CPU, the same seed
            gives the same weights bit for bit. None draws and records one. The global generators
            of Keras, NumPy and Python get this seed.
        device: `auto`, `cpu`, `gpu` or `gpu:N`; `gpu:all` or several such as `gpu:0,gpu:1` share
            each batch, with the same results up to rounding. `cpu:0,cpu:1` must come before
            TensorFlow's first operation. Dropout draws other numbers on each device.
        logs: The folder of all runs.
        deterministic: Use TensorFlow's deterministic operations, for equal results on a GPU too.
            They are slower there, and stay on for the whole process.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`, for a model that is built here.
        early_stopping: Stop after this many epochs without a better validation loss. None never
            stops early.
        augmentation: Distorts the training images anew in each epoch: an `Augmentation`,
            `affine`, `elastic`, `affine+elastic` or `none`. None takes the recipe's.
        engine: The training loop. `graph` runs many steps per TensorFlow call and halves of a
            batch in parallel, with the mathematics of Keras' step and different rounding. `keras`
            is Keras' own. `auto` takes `graph` on a CPU in float32, but `keras` for what `graph`
            can't do, such as a `LeNet` with regularizers or its own `train_step`.
        board: What TensorBoard shows besides scalars, texts and the graph, see `lenet_tf.Board`.
            None shows images after the first and last epoch, and histograms of the weights.
        report: Write report.html when the run finishes, which takes some seconds.
        quiet: Print nothing.
        split_seed: Seed of the split alone, so that runs of several seeds hold out the same
            images. None takes `seed`.
        test: End with the test images. Without it the run never reads them, and its metrics and
            report have no test result: for runs among which you choose.
        callbacks: Custom callbacks, or one. They run before the files of an epoch are written.
            With the graph engine, one of Keras' "batches" is a call of many steps.
        **changes: What differs from the network and its recipe, for a model that is built here:
            `lr` or `learning_rate`, `optimizer`, `momentum`, `weight_decay`, `loss`,
            `label_smoothing`, `activation`, `initializer`, `pool`, `dropout`, and `changes` for
            any other field, such as `changes={"rows.C1.filters": 8}`. See
            `lenet_tf.specs.changes.Changes`.

    Returns:
        The finished run.

    Raises:
        SpecError: The network, recipe or precision is invalid. Nothing was written.
        DataError: The data don't fit the network. Nothing was written.
        DeviceError: The device is unavailable, or `fit` is called in the scope of a strategy.
            Nothing was written.
        TrainingError: A setting is invalid, or the loss became NaN or infinite. The run folder
            keeps the last good checkpoints.
        RunError: The run folder cannot be written. Finished epochs are kept, and `resume`
            continues from them.
        Interrupted: Ctrl-C or SIGTERM. The first finishes the epoch, the second stops at once.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> run = lenet_tf.fit("tiny", data, epochs=1, quiet=True, report=False)
        >>> sorted(path.name for path in run.path.glob("*.keras"))
        ['best.keras', 'final.keras']
    """
    trained = model if isinstance(model, LeNet) else None
    _check_own_recipe(trained, recipe, changes)
    config = TrainConfig.create(
        model.spec if isinstance(model, LeNet) else model,
        epochs=epochs,
        batch_size=batch_size,
        recipe=recipe,
        validation=validation,
        augmentation=augmentation,
        seed=random_seed() if seed is None else seed,
        device=device,
        logs=logs,
        deterministic=deterministic,
        precision=precision if trained is None else trained.precision,
        early_stopping=early_stopping,
        engine=engine,
        board=board,
        report=report,
        quiet=quiet,
        split_seed=split_seed,
        test=test,
        **changes,
    )
    run_folder.check_writable(config.logs)
    return train(config, data, model=trained, callbacks=list_callbacks(callbacks))


def _check_own_recipe(
    trained: LeNet | None, recipe: Recipe | str | None, changes: dict[str, Any]
) -> None:
    if trained is not None and (recipe is not None or changes):
        raise TrainingError(
            "a LeNet keeps the recipe it was compiled with: pass its name or Spec to train it"
            " with another recipe"
        )


# TensorFlow crashes now and then where threads trace their first graphs at once, and the global
# random generators have one seed.
_TRAINING_LOCK = threading.RLock()


@contextlib.contextmanager
def one_training_at_a_time() -> Iterator[None]:
    """Wait until no other thread of this process trains within such a block."""
    with _TRAINING_LOCK:
        yield


@one_training_at_a_time()
def train(
    config: TrainConfig,
    data: RawData,
    *,
    model: LeNet | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> run_folder.Run:
    """Train as `fit` does, from settings that are already validated.

    Args:
        config: The settings of the run.
        data: Raw images and labels.
        model: A model whose training continues. None builds the config's network.
        callbacks: Custom callbacks.

    Returns:
        The finished run.

    Raises:
        LenetError, Interrupted: As `fit`.
    """
    check_no_strategy(model)
    device = devices.choose_device(config.device)
    split = split_data(
        data, config.spec.recipe.validation, config.split_by, config.spec.preparation
    )
    image_shape = config.spec.preparation.output_shape(data.image_shape)
    with training_context(device, config):
        if model is None:
            spec = config.spec.adapt_to_data(data.name, image_shape, data.num_classes)
            config = replace(config, spec=spec)
            # Before its weights are made; the engine is chosen for the finished model.
            check_memory(config.spec, split, device, makes_patches=False)
            network = LeNet(config.spec, seed=config.seed, precision=config.precision)
        else:
            check_fits(model, image_shape, data)
            network = model
        trainer = Trainer(
            config=config, split=split, model=network, device=device, callbacks=callbacks
        )
        check_memory(config.spec, split, device, trainer.makes_patches)
        if model is not None:
            check_can_be_saved(model)
        content = describe_run(config, split, device, initial_model=model)
        folder = run_folder.create_run_folder(config.logs, config.run_name)
        with run_folder.run_lock(folder):
            record = write_record(folder, config, content, initial_model=model)
            return trainer.run(record, Progress())
