"""Recipes beside a network's own: the one-cycle schedule, label smoothing, and `--recipe`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from quick import fit

import lenet_tf
from lenet_tf.errors import LenetError, SpecError
from lenet_tf.models.optimizers import OneCycle, find_one_cycle
from lenet_tf.runs import run_record
from lenet_tf.specs import RECIPES, Optimizer, Recipe, get_recipe, get_spec

FAST = RECIPES["lenet5-modern"]["fast"]


def test_one_cycle_is_piecewise_linear():
    """The rate rises over a quarter of the steps and falls to 0 after the last one."""
    cycle = OneCycle(0.8, warm_up=0.25, steps=16)
    rates = [float(cycle(step)) for step in range(16)]
    np.testing.assert_allclose(
        rates, np.interp(np.arange(1, 17), [0, 4, 17], [0, 0.8, 0]), rtol=1e-6
    )
    assert min(rates) > 0
    assert float(cycle(40)) == 0
    np.testing.assert_allclose(
        [float(OneCycle(1.0, 0.0, 3)(step)) for step in range(3)], [1, 2 / 3, 1 / 3], rtol=1e-6
    )
    assert float(OneCycle(0.5, 0.25, 1)(0)) == 0.5, "a run of one step"
    later = OneCycle(0.8, warm_up=0.25, steps=16, first=100)
    assert [float(later(step)) for step in range(100, 116)] == rates, (
        "a run that starts from a model has its own cycle"
    )
    copy = OneCycle.from_config(cycle.get_config())
    assert [float(copy(step)) for step in range(16)] == rates
    with pytest.raises(
        ValueError,
        match="needs the number of steps: set `steps`, or train with lenet_tf.fit",
    ):
        OneCycle(0.1)(0)


def test_label_smoothing_changes_the_loss():
    model = lenet_tf.LeNet(replace(get_spec("tiny"), recipe=Recipe(label_smoothing=0.3)), seed=0)
    outputs = np.array([[0.7, 0.2, 0.1]])
    targets = 0.7 * np.array([[0, 1, 0]]) + 0.3 / 3
    assert float(model.loss(np.array([[0.0, 1, 0]]), outputs)) == pytest.approx(
        -(targets * np.log(outputs)).sum(), rel=1e-6
    )


@pytest.mark.slow
def test_the_engines_agree_on_the_fast_recipe(digits, tmp_path):
    """With schedule, weight decay and label smoothing, to 10⁻³ of the change of each weight."""
    results, rates = [], []

    class Rates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    for engine in ("graph", "keras"):
        options = {
            "recipe": "fast",
            "validation": "test",
            "engine": engine,
            "device": "cpu",
            "logs": tmp_path,
            "quiet": True,
        }
        results.append(fit("lenet5-modern", digits, callbacks=[Rates()], **options))
    start = lenet_tf.LeNet("lenet5-modern", seed=0).get_weights()
    for first, ours, plain in zip(
        start, *(run.model.get_weights() for run in results), strict=True
    ):
        np.testing.assert_allclose(ours, plain, atol=1e-3 * np.abs(plain - first).max())
    np.testing.assert_allclose(results[0].history["loss"], results[1].history["loss"], rtol=1e-4)
    # An epoch has 5 steps; the rate after an epoch is that of the next step.
    np.testing.assert_allclose(rates, [0.005 * (11 - 6) / (11 - 2.5), 0] * 2, rtol=1e-5, atol=1e-9)
    run = results[0]
    config = run_record.read_config(run.path)
    assert config["recipe"]["optimizer"]["schedule"] == "one_cycle"
    loaded = lenet_tf.load_model(run.path)
    np.testing.assert_array_equal(
        lenet_tf.predict_outputs(loaded, digits.x_test),
        lenet_tf.predict_outputs(run, digits.x_test),
    )
    assert find_one_cycle(loaded.optimizer).steps == 10
    assert int(loaded.optimizer.iterations) == 10
    more = fit(loaded, digits, validation="test", epochs=1, device="cpu", logs=tmp_path, quiet=True)
    assert np.abs(more.model.get_weights()[0] - run.model.get_weights()[0]).max() > 1e-3, (
        "training continues in its own cycle"
    )
    assert int(more.model.optimizer.iterations) == 15


def test_half_precision_uses_the_schedule(digits, tmp_path):
    options = {
        "recipe": replace(FAST, epochs=1, validation="test"),
        "precision": "mixed_float16",
        "device": "cpu",
    }
    run = fit("lenet5-modern", digits, logs=tmp_path, quiet=True, **options)
    assert np.isfinite(run.history["loss"]).all()
    assert find_one_cycle(run.model.optimizer).steps == 5
    assert float(run.model.optimizer.inner_optimizer.learning_rate) == 0, "the cycle is over"


def test_invalid_recipes_are_reported(digits, tmp_path):
    with pytest.raises(
        SpecError, match="lenet5 has no recipe 'fast' besides its own: lenet5-modern has fast"
    ):
        get_recipe("lenet5", "fast")
    with pytest.raises(LenetError, match="a LeNet keeps the recipe it was compiled with"):
        fit(lenet_tf.LeNet("lenet5-modern"), digits, recipe="fast", logs=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    for fields, message in (
        ({"name": "sdlm", "schedule": "one_cycle"}, "schedule goes with adam"),
        ({"schedule": "two_cycle"}, "unknown schedule 'two_cycle'"),
        (
            {"schedule": "one_cycle", "learning_rate": (0.1, 0.2)},
            "takes one learning_rate, its peak",
        ),
        (
            {"schedule": "one_cycle", "warm_up": 1.0},
            "warm_up must be a number from 0 up to, not including, 1",
        ),
        ({"warm_up": 0.5}, "warm_up goes with the schedule one_cycle"),
        ({"name": "sgd", "beta_2": 0.9}, "beta_2 goes with adam and adamw, not with sgd"),
        ({"beta_2": 1.0}, "beta_2 must be a number from 0"),
    ):
        with pytest.raises(SpecError, match=message):
            Optimizer(**fields)
    with pytest.raises(
        SpecError,
        match="label_smoothing goes with categorical_crossentropy, not with mean_squared_error",
    ):
        Recipe(loss="mean_squared_error", label_smoothing=0.1)


@pytest.mark.slow
def test_the_command_takes_a_recipe(cli):
    result = cli.train("lenet5-modern", "--recipe", "fast", "--data", "sample", "--logs", "l", "-q")
    assert result.exit_code == 0, result.output
    assert "after epoch 2;" in result.output
    (run,) = Path("l/fit").iterdir()
    assert (
        "after epoch 2;"
        in cli.train("--from-run", run, "--recipe", "fast", "--logs", "l", "-q").output
    )
    wrong = cli.train("lenet5", "--recipe", "fast", "--data", "sample", "--logs", "m")
    assert wrong.exit_code == 1
    assert wrong.output.startswith("Error: lenet5 has no recipe 'fast'")
    lines = cli("summary", "lenet5-modern").output.splitlines()
    assert any(line.startswith("fast    adamw at 0.005 in one cycle") for line in lines)
