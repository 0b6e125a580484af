"""Runs name the optimizer and the loss that a model is compiled with, not its recipe's."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from quick import fit
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard_events import read_events, read_text

import lenet_tf
from lenet_tf.evaluation.settings_table import flatten_settings
from lenet_tf.evaluation.spec_text import describe_spec, format_compiled
from lenet_tf.models.own_compilation import describe_own_compilation
from lenet_tf.runs.run_record import read_run
from lenet_tf.specs import Optimizer, Recipe, get_spec

optimizers, losses = keras.optimizers, keras.losses
CROSSENTROPY = "categorical_crossentropy"


def build(optimizer, **recipe):
    return lenet_tf.LeNet(replace(get_spec("tiny"), recipe=Recipe(optimizer, **recipe)), seed=0)


def test_an_own_optimizer_keeps_its_rate_and_is_named(digits, tmp_path, capfd):
    model = build(Optimizer("sgd", (0.5, 0.25)), epochs=2, validation=0.1)
    model.compile(
        optimizers.Nadam(0.003, clipnorm=2.0),
        losses.CategoricalFocalCrossentropy(gamma=3.0),
        metrics=["accuracy"],
    )
    run = fit(model, digits, device="cpu", logs=tmp_path)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.003)
    loss = "categorical_focal_crossentropy (gamma 3.0)"
    text = f"compiled with nadam at 0.003, clipnorm 2.0 and the loss {loss}"
    printed = capfd.readouterr().out
    assert f"        {text}\n" in printed
    record = read_run(run.path)
    assert format_compiled(record.compiled) == text
    assert text in " ".join(describe_spec(record.spec, 1000, record.compiled)[1].split())
    settings = flatten_settings(record.spec, record.config)
    assert settings["optimizer"] == "nadam" and settings["learning rate"] == "0.003"
    assert settings["loss"] == loss
    assert "| optimizer.name | nadam |" in read_text(run.path, "recipe")
    plugins = read_events(run.path).PluginTagToContent("hparams")
    start = plugin_data_pb2.HParamsPluginData.FromString(plugins["_hparams_/session_start_info"])
    values = {
        name: value.number_value or value.string_value
        for name, value in start.session_start_info.hparams.items()
    }
    assert values["optimizer"] == "nadam" and values["learning_rate"] == pytest.approx(0.003)
    assert values["loss"] == loss and values["schedule"] == "constant"


def test_the_recipes_rates_hold_for_a_model_that_was_trained_before(digits, tmp_path):
    model = build(Optimizer("sgd", (0.5, 0.25)), epochs=2, validation=0.1)
    for _ in range(2):
        run = fit(model, digits, device="cpu", logs=tmp_path, quiet=True)
        assert "compiled" not in run.config
        assert float(model.optimizer.learning_rate) == 0.25
    np.testing.assert_allclose(run.history["learning_rate"], [0.5, 0.25])


@pytest.mark.parametrize(
    ("recipe", "optimizer", "loss", "expected"),
    [
        (Optimizer(), "adam", CROSSENTROPY, {}),
        (Optimizer(), "adam", losses.CategoricalCrossentropy(), {}),
        (Optimizer("sdlm", (0.1, 0.2)), None, CROSSENTROPY, {}),
        (Optimizer(schedule="one_cycle"), None, CROSSENTROPY, {}),
        (
            Optimizer("sgd", (0.1, 0.2)),
            optimizers.SGD(0.2),
            CROSSENTROPY,
            {"optimizer": {"name": "sgd", "learning_rate": 0.2}},
        ),
        (
            Optimizer("sgd", 0.01, momentum=0.9),
            "sgd",
            CROSSENTROPY,
            {"optimizer": {"name": "sgd", "learning_rate": 0.01}},
        ),
        (
            Optimizer(),
            None,
            losses.CategoricalCrossentropy(label_smoothing=0.1),
            {"loss": CROSSENTROPY, "label_smoothing": 0.1},
        ),
        (Optimizer(), None, "mse", {"loss": "mean_squared_error", "label_smoothing": 0.0}),
    ],
)
def test_only_what_differs_from_the_recipe_is_described(recipe, optimizer, loss, expected):
    model = build(recipe)
    model.compile(optimizer or model.optimizer, loss, metrics=["accuracy"])
    assert describe_own_compilation(model, model.spec.recipe) == expected


def test_schedules_are_described_by_their_first_rate():
    model = build(Optimizer())
    schedule = optimizers.schedules.CosineDecay(0.02, 100)
    model.compile(optimizers.Adam(schedule), CROSSENTROPY, metrics=["accuracy"])
    described = describe_own_compilation(model, model.spec.recipe)["optimizer"]
    assert described["learning_rate"] == 0.02
    assert described["schedule"].startswith("CosineDecay (initial_learning_rate 0.02, decay_steps")
