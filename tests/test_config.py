"""The settings of a training run, from Python, the command line and a recorded run."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import keras
import numpy as np
import pytest

import lenet_tf
from lenet_tf.errors import DeviceError, SpecError, TrainingError
from lenet_tf.runs.run_record import read_run
from lenet_tf.specs import AUGMENTATIONS, RECIPES, Recipe, get_spec
from lenet_tf.training.config import TrainConfig


def test_the_defaults_are_those_of_fit():
    config = TrainConfig(get_spec("tiny"))
    assert config == TrainConfig.create("tiny") == TrainConfig.create(get_spec("tiny"))
    assert (config.seed, config.device, config.logs) == (0, "auto", Path("logs"))
    assert (config.precision, config.engine, config.early_stopping) == ("float32", "auto", None)
    assert (config.deterministic, config.report, config.quiet) == (False, True, False)
    assert config.board == lenet_tf.Board()


def test_none_keeps_a_default():
    names = ("recipe", "augmentation", "epochs", "batch_size", "validation", "seed", "board")
    assert TrainConfig.create("tiny", **dict.fromkeys(names)) == TrainConfig.create("tiny")


def test_create_changes_the_recipe_only():
    config = TrainConfig.create(
        "tiny", epochs=7, batch_size=3, validation=0.25, augmentation="affine", seed=5
    )
    recipe, spec = config.spec.recipe, get_spec("tiny")
    assert (recipe.epochs, recipe.batch_size, recipe.validation) == (7, 3, 0.25)
    assert recipe.augmentation == AUGMENTATIONS["affine"]
    assert recipe.optimizer == spec.recipe.optimizer
    assert replace(config.spec, recipe=spec.recipe) == spec
    assert config.seed == 5


def test_create_takes_a_recipe_or_its_name():
    fast = RECIPES["lenet5-modern"]["fast"]
    assert TrainConfig.create("lenet5-modern", recipe="fast").spec.recipe == fast
    assert TrainConfig.create("tiny", recipe=fast).spec.recipe == fast
    assert TrainConfig.create("tiny", recipe=fast, epochs=9).spec.recipe == replace(fast, epochs=9)


def test_create_can_remove_the_augmentation():
    augmented = replace(get_spec("tiny"), recipe=Recipe(augmentation=AUGMENTATIONS["elastic"]))
    assert TrainConfig.create(augmented).spec.recipe.augmentation is not None
    assert TrainConfig.create(augmented, augmentation="none").spec.recipe.augmentation is None


def test_a_config_is_frozen():
    config = TrainConfig.create("tiny")
    with pytest.raises(FrozenInstanceError):
        config.seed = 1


def test_numpy_seeds_and_text_paths_become_plain_values():
    config = TrainConfig.create("tiny", seed=np.int64(5), logs="elsewhere")
    assert type(config.seed) is int and config.seed == 5
    assert config.logs == Path("elsewhere")


SEED = r"the seed must be a whole number from 0 to 4294967295, not "


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"seed": -1}, TrainingError, SEED + "-1"),
        ({"seed": 2**32}, TrainingError, SEED + "4294967296"),
        ({"seed": 1.0}, TrainingError, SEED + "1.0"),
        ({"seed": True}, TrainingError, SEED + "True"),
        ({"seed": "7"}, TrainingError, SEED + "'7'"),
        (
            {"early_stopping": 0},
            TrainingError,
            "early stopping needs at least 1 epoch of patience, not 0",
        ),
        (
            {"engine": "grpah"},
            TrainingError,
            r"unknown engine 'grpah': .*graph",
        ),
        (
            {"precision": "float64"},
            SpecError,
            "unknown precision 'float64': known are float32, mixed_float16, mixed_bfloat16",
        ),
        ({"device": "tpu"}, DeviceError, "unknown device 'tpu': choose auto, cpu, gpu, gpu:N or"),
        ({"recipe": "fast"}, SpecError, "tiny has no recipe 'fast' besides its own"),
        ({"recipe": 3}, SpecError, "recipe must be a Recipe or the name of one, not 3"),
        ({"augmentation": "blur"}, SpecError, "'blur'"),
        ({"epochs": 0}, SpecError, "epochs must be a whole number of at least 1, not 0"),
        ({"batch_size": -3}, SpecError, "batch_size must be a whole number of at least 1, not -3"),
        ({"validation": 1.0}, SpecError, "validation must be"),
    ],
)
def test_invalid_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        TrainConfig.create("tiny", **settings)


def test_other_things_than_networks_are_refused():
    with pytest.raises(SpecError, match="unknown variant 'lenet7'"):
        TrainConfig.create("lenet7")
    with pytest.raises(
        SpecError, match="model must be a variant's name, a Spec or a LeNet, not Sequential"
    ):
        TrainConfig.create(keras.Sequential())


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"precision": "int8"}, SpecError),
        ({"early_stopping": 0}, TrainingError),
        ({"engine": "turbo"}, TrainingError),
        ({"seed": -1}, TrainingError),
    ],
)
def test_recorded_settings_are_validated_too(tiny_run, settings, error):
    record = read_run(tiny_run.path)
    with pytest.raises(error):
        TrainConfig.from_record(replace(record, settings=record.settings | settings))


def test_a_run_records_its_settings(tiny_run):
    config = TrainConfig.create(
        "tiny", deterministic=True, precision="mixed_float16", early_stopping=3, engine="keras"
    )
    assert config.recorded_settings() == {
        "deterministic": True,
        "precision": "mixed_float16",
        "early_stopping": 3,
        "engine": "keras",
    }
    assert set(tiny_run.config["settings"]) == set(config.recorded_settings())


class _TrainingStarted(Exception):
    pass


@pytest.fixture
def started_configs(monkeypatch):
    """Return the list of configs with which training starts, which it does not do here."""
    configs = []

    def start(config, data, **options):
        configs.append(config)
        raise _TrainingStarted

    monkeypatch.setattr("lenet_tf.training.fit.train", start)
    return configs


def test_python_command_and_recorded_run_make_equal_configs(tiny_run, digits, cli, started_configs):
    """The settings are those of `tiny_run`."""
    with pytest.raises(_TrainingStarted):
        lenet_tf.fit(
            "tiny",
            digits,
            epochs=2,
            batch_size=30,
            seed=7,
            device="cpu",
            board=lenet_tf.Board(images_every=0),
            report=False,
            quiet=True,
        )
    options = ("--data", "sample", "--device", "cpu", "--no-report", "-q")
    recipe = ("--epochs", 2, "--batch-size", 30, "--seed", 7, "--images-every", 0)
    cli("train", "tiny", *recipe, *options)
    cli("train", "--from-run", tiny_run.path, *options)
    resumed = TrainConfig.from_record(
        read_run(tiny_run.path), device="cpu", report=False, quiet=True
    )
    assert len(started_configs) == 3
    assert started_configs == [resumed] * 3


def test_options_change_a_recorded_run(tiny_run, cli, started_configs):
    cli("train", "--from-run", tiny_run.path, "--data", "sample", "--seed", 8, "--epochs", 5)
    (config,) = started_configs
    recorded = TrainConfig.from_record(read_run(tiny_run.path))
    recipe = replace(recorded.spec.recipe, epochs=5)
    assert config == replace(recorded, seed=8, spec=replace(recorded.spec, recipe=recipe))
