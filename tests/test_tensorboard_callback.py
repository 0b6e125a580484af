"""What TensorBoard shows of a run and when, and that it neither changes nor stops training."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from interrupted_runs import Interrupt
from quick import fit, resume
from tensorboard_events import read_steps, read_values

import lenet_tf
from lenet_tf.errors import Interrupted
from lenet_tf.specs import Optimizer, get_spec
from lenet_tf.training.tensorboard import callback

EVERYTHING = lenet_tf.Board(histograms=("weights", "activations", "gradients"))
LAYERS = ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT")
# Diverges after some epochs, so that early stopping ends the run.
STEEP = replace(get_spec("tiny").recipe, optimizer=Optimizer("adam", 0.1))


def test_every_tag_and_its_steps(lenet5_run):
    train, validation = (read_steps(lenet5_run.path / part) for part in ("train", "validation"))
    weights = {
        f"{layer}/{weight}"
        for layer in ("C1", "C3", "C5", "F6", "OUTPUT")
        for weight in ("kernel", "bias")
    }
    scalars = {
        "epoch_accuracy",
        "epoch_loss",
        "epoch_learning_rate",
        "epoch_seconds",
        "epoch_images_per_second",
    }
    histograms = {f"layer {weight}/histogram" for weight in weights}
    histograms |= {f"layer {weight}/gradient/histogram" for weight in weights}
    histograms |= {
        f"layer {layer}/activations/histogram" for layer in ("INPUT", *LAYERS, "FLATTEN")
    }
    filters = {"filters/C1", "filters/C3"}
    assert set(train) == scalars | histograms | filters
    curves = {f"class_{label}/pr_curves" for label in range(10)}
    maps = {f"maps/{layer}" for layer in ("INPUT", *LAYERS)}
    images = maps | {"predictions/confusion_matrix", "predictions/worst_mistakes"}
    evaluations = {"evaluation_accuracy_vs_iterations", "evaluation_loss_vs_iterations"}
    assert set(validation) == {"epoch_accuracy", "epoch_loss"} | evaluations | curves | images
    # TensorBoard opens on the first of them by name.
    assert min({*train, *validation} - curves) == "epoch_accuracy"
    for tag in scalars | histograms:
        assert train[tag] == [0, 1, 2], tag
    for tag in filters:
        assert train[tag] == [0, 2], tag
    for tag in curves | images:
        assert validation[tag] == [0, 2], tag


def test_images_per_second_exclude_validation(digits, tmp_path, monkeypatch):
    """Each look at the clock is a second later: one as an epoch starts, one as validation does."""
    seconds = itertools.count()
    monkeypatch.setattr(callback, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    run = fit("tiny", digits, epochs=2, validation=0.2, logs=tmp_path, quiet=True)
    assert read_values(run.path / "train", "epoch_images_per_second") == [240, 240]


@pytest.mark.slow
@pytest.mark.parametrize(("images_every", "epochs"), [(2, [1, 3, 4]), (None, [0, 4]), (0, None)])
def test_images_of_chosen_epochs(digits, tmp_path, images_every, epochs):
    board = lenet_tf.Board(images_every=images_every)
    run = fit("tiny", digits, epochs=5, logs=tmp_path, board=board, quiet=True)
    train, validation = (read_steps(run.path / part) for part in ("train", "validation"))
    if epochs is None:
        assert all(tag.startswith(("epoch", "evaluation")) for tag in validation)
        assert "filters/C1" not in train
        assert not (run.path / "projector").exists()
    else:
        assert validation["predictions/confusion_matrix"] == epochs
        assert train["filters/C1"] == epochs


def test_the_last_epoch_of_early_stopping_has_images(digits, tmp_path):
    options = {"epochs": 40, "early_stopping": 1, "board": lenet_tf.Board(), "quiet": True}
    run = fit("tiny", digits, recipe=STEEP, logs=tmp_path, **options)
    assert 1 < run.metrics["epochs"] < 40
    expected = [0, run.metrics["epochs"] - 1]
    assert read_steps(run.path / "validation")["maps/C1"] == expected
    assert read_steps(run.path / "train")["filters/C1"] == expected


@pytest.mark.slow
def test_tensorboard_does_not_change_training(digits, tmp_path):
    """Dropout draws the same random numbers with and without it."""
    nothing = lenet_tf.Board(images_every=0, histograms=())
    runs = [
        fit("keras-convnet", digits, epochs=2, device="cpu", logs=tmp_path, board=board, quiet=True)
        for board in (EVERYTHING, nothing)
    ]
    for first, second in zip(*(run.model.get_weights() for run in runs), strict=True):
        np.testing.assert_array_equal(first, second)
    assert runs[0].history["val_loss"] == runs[1].history["val_loss"]
    tags = [read_steps(run.path / "train") for run in runs]
    assert any("histogram" in tag for tag in tags[0])
    assert not any("histogram" in tag for tag in tags[1])


@pytest.mark.slow
def test_a_resumed_run_shows_what_an_uninterrupted_one_does(digits, tmp_path):
    options = {
        "epochs": 3,
        "seed": 3,
        "device": "cpu",
        "board": lenet_tf.Board(images_every=2),
        "quiet": True,
    }
    complete = fit("tiny", digits, logs=tmp_path / "complete", **options)
    logs = tmp_path / "interrupted"
    with pytest.raises(Interrupted):
        fit("tiny", digits, logs=logs, callbacks=[Interrupt(3)], **options)
    (folder,) = (logs / "fit").iterdir()
    resume(folder, digits, quiet=True)
    for part in (".", "train", "validation"):
        assert read_steps(folder / part) == read_steps(complete.path / part)
    # Files that are written again replace the old ones.
    assert sorted(path.suffix for path in folder.glob("*tfevents*")) == [".begun", ".ended"]


@pytest.mark.slow
def test_images_after_early_stopping_appear_once_in_a_resumed_run(digits, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    options = {"epochs": 40, "early_stopping": 1, "board": lenet_tf.Board(), "quiet": True}
    with monkeypatch.context() as patch:
        patch.setattr("lenet_tf.training.tensorboard.projector.write_projector", stop)
        with pytest.raises(Interrupted):
            fit("tiny", digits, recipe=STEEP, logs=tmp_path, **options)
    (folder,) = (tmp_path / "fit").iterdir()
    run = resume(folder, digits, quiet=True)
    for part, tag in (
        ("validation", "predictions/confusion_matrix"),
        ("validation", "class_0/pr_curves"),
        ("train", "filters/C1"),
    ):
        assert read_steps(folder / part)[tag] == [0, run.metrics["epochs"] - 1]


def test_an_image_that_fails_stops_no_run(digits, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no such picture")

    monkeypatch.setattr("lenet_tf.evaluation.figures.plot_confusion_matrix", fail)
    board = lenet_tf.Board()
    with pytest.warns(UserWarning, match="ValueError: no such picture") as warnings:
        run = fit("tiny", digits, epochs=1, logs=tmp_path, board=board, report=True, quiet=True)
    messages = "\n".join(str(warning.message) for warning in warnings)
    assert "TensorBoard lacks the images of epoch 1: ValueError: no such picture" in messages
    assert "but has no report: ValueError: no such picture" in messages
    assert run.metrics["epochs"] == 1
    assert not (run.path / "report.html").exists()


def convert_images(digits, channels):
    """Repeat the gray channel. 0 channels remove the channel axis and use 64-bit integers."""
    images = {name: getattr(digits, name) for name in ("x_train", "x_test")}
    if not channels:
        return {name: array.reshape(-1, 28, 28).astype(np.int64) for name, array in images.items()}
    return {
        name: array.reshape(-1, 28, 28, 1).repeat(channels, axis=3)
        for name, array in images.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "channels", "precision"),
    [
        ("tiny", 1, "mixed_bfloat16"),
        ("tiny", 1, "mixed_float16"),
        ("tiny", 0, "float32"),
        ("tiny", 2, "float32"),
        ("lenet5-color", 3, "float32"),
        ("mlp-300-100", 1, "float32"),
        ("lenet5-1998", 1, "float32"),
    ],
)
def test_images_and_report_of_every_kind_of_network_and_data(
    digits, tmp_path, network, channels, precision, recwarn
):
    data = replace(digits, **convert_images(digits, channels))
    options = {
        "epochs": 1,
        "validation": 0.2,
        "precision": precision,
        "logs": tmp_path,
        "quiet": True,
    }
    run = fit(network, data, board=EVERYTHING, report=True, device="cpu", **options)
    messages = [str(warning.message) for warning in recwarn]
    assert not [text for text in messages if "TensorBoard" in text or "report" in text]
    assert {"predictions/confusion_matrix", "predictions/worst_mistakes"} <= set(
        read_steps(run.path / "validation")
    )
    assert (run.path / "report.html").exists()
    assert (run.path / "projector" / "points.tsv").exists()
