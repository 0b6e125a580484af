"""Callbacks of a run: clock, NaN check, seeds, progress bar, and those of users."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from quick import fit

import lenet_tf
from lenet_tf.training import callbacks


@pytest.fixture
def model():
    """Return a network with a random layer."""
    return lenet_tf.LeNet("keras-convnet", seed=0)


def test_the_clock_adds_seconds_to_the_logs(monkeypatch):
    times = iter([10.0, 12.5])
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: next(times))
    clock, logs = callbacks.EpochClock(), {"loss": 1.0}
    clock.on_epoch_begin(0)
    clock.on_epoch_end(0, logs)
    assert logs == {"loss": 1.0, "seconds": 2.5}


@pytest.mark.parametrize(
    ("steps", "failed_at"), [(1, "epoch 3, batch 6"), (200, "epoch 3, steps 1,001 to 1,200")]
)
@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_training_stops_at_the_first_loss_that_is_not_finite(model, steps, failed_at, loss):
    check = callbacks.StopAtNaN(steps)
    check.set_model(model)
    model.stop_training = False
    check.on_epoch_begin(2)
    check.on_batch_end(4, {"loss": 1.0})
    assert (check.failed_at, model.stop_training) == ("", False)
    check.on_batch_end(5, {"loss": loss})
    check.on_batch_end(6, {"loss": loss})
    assert (check.failed_at, model.stop_training) == (failed_at, True)


def test_training_stops_at_a_validation_loss_that_is_not_finite(model):
    check = callbacks.StopAtNaN()
    check.set_model(model)
    model.stop_training = False
    check.on_epoch_begin(0)
    check.on_epoch_end(0, {"loss": 1.0, "val_loss": float("nan")})
    assert (check.failed_at, model.stop_training) == ("the validation of epoch 1", True)


@pytest.mark.parametrize("is_over", [True, False])
def test_the_end_of_an_epoch_decides_whether_training_stops(model, is_over):
    seen = []

    def finish(logs):
        seen.append(logs)
        return is_over

    epoch_end = callbacks.EpochEnd(finish)
    epoch_end.set_model(model)
    model.stop_training = False
    epoch_end.on_epoch_end(0, {"loss": 1.0})
    assert seen == [{"loss": 1.0}]
    assert model.stop_training is is_over


def test_random_layers_depend_on_seed_and_epoch_only(model):
    images = np.ones((4, 28, 28, 1), np.float32)

    def predict(seed, epoch, calls=1):
        reseed = callbacks.ReseedLayers(seed)
        reseed.set_model(model)
        reseed.on_epoch_begin(epoch)
        for _ in range(calls):
            outputs = model(images, training=True)
        return keras.ops.convert_to_numpy(outputs)

    first = predict(seed=1, epoch=5)
    assert not np.array_equal(first, predict(seed=1, epoch=5, calls=2))
    np.testing.assert_array_equal(predict(seed=1, epoch=5), first)
    assert not np.array_equal(predict(seed=1, epoch=6), first)
    assert not np.array_equal(predict(seed=2, epoch=5), first)


def test_an_error_of_a_users_callback_is_unchanged(digits, tmp_path):
    """ConnectionError is an OSError, as a full disk is."""

    class Offline(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise ConnectionError("the tracker does not answer")

    with pytest.raises(ConnectionError, match="the tracker does not answer"):
        fit("tiny", digits, epochs=2, logs=tmp_path, quiet=True, callbacks=[Offline()])
