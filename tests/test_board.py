"""What a run shows in TensorBoard: tags and steps as TensorBoard reads them, and what is in them against independent numbers."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from quick import fit, resume
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
from tensorboard.plugins.hparams import plugin_data_pb2

import lenet_tf
from lenet_tf.data.dataset import split_data
from lenet_tf.errors import Interrupted, RunError, SpecError
from lenet_tf.evaluation.inspection import feature_maps
from lenet_tf.specs import Optimizer, Preparation, Recipe
from lenet_tf.training.tensorboard import callback
from lenet_tf.training.tensorboard.images import validation_images
from lenet_tf.training.tensorboard.mosaics import filters_mosaic, maps_mosaic

ALL = lenet_tf.Board(histograms=("weights", "activations", "gradients"))
NONE = lenet_tf.Board(images_every=0, histograms=())


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    """LeNet-5 with dropout-free layers only, everything shown."""
    logs = tmp_path_factory.mktemp("logs")
    return fit(
        "lenet5", digits, epochs=3, validation=0.2, device="cpu", logs=logs, board=ALL, quiet=True
    )


def events(folder):
    found = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    found.Reload()
    return found


def steps(folder, tag):
    return [event.step for event in events(folder).Tensors(tag)]


def texts(folder, tag):
    (event,) = events(folder).Tensors(tag)
    return event.tensor_proto.string_val[0].decode()


def picture(folder, tag):
    """The last one of that tag, as an array."""
    width, height, *encoded = tf.make_ndarray(events(folder).Tensors(tag)[-1].tensor_proto)
    image = tf.io.decode_png(encoded[0]).numpy()
    assert image.shape[:2] == (int(height), int(width))
    return image


LAYERS = ("C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT")


def test_every_tag_and_its_steps(run):
    train, validation = events(run.path / "train"), events(run.path / "validation")
    names = {"train": set(train.Tags()["tensors"]), "validation": set(validation.Tags()["tensors"])}
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
    histograms = {f"{weight}/histogram" for weight in weights} | {
        f"{weight}/gradient/histogram" for weight in weights
    }
    histograms |= {f"{layer}/activations/histogram" for layer in ("INPUT", *LAYERS, "FLATTEN")}
    filters = {"filters/C1", "filters/C3"}
    assert names["train"] == scalars | histograms | filters
    curves = {f"class_{label}/pr_curves" for label in range(10)}
    pictures = {f"maps/{layer}" for layer in ("INPUT", *LAYERS)} | {
        "answers/confusion_matrix",
        "answers/worst_mistakes",
    }
    evaluations = {"evaluation_accuracy_vs_iterations", "evaluation_loss_vs_iterations"}
    assert names["validation"] == {"epoch_accuracy", "epoch_loss"} | evaluations | curves | pictures
    for tag in scalars | histograms:
        assert [event.step for event in train.Tensors(tag)] == [0, 1, 2], tag
    for tag in filters:
        assert [event.step for event in train.Tensors(tag)] == [0, 2], tag
    for tag in curves | pictures:
        assert [event.step for event in validation.Tensors(tag)] == [0, 2], tag


def test_images_per_second_leave_validation_out(digits, tmp_path, monkeypatch):
    """By a clock that is asked as an epoch begins and as its validation does, a second apart: 240 of the 300 images are trained on."""
    seconds = itertools.count()
    monkeypatch.setattr(callback, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    run = fit("tiny", digits, epochs=2, validation=0.2, logs=tmp_path, quiet=True)
    values = [
        float(tf.make_ndarray(event.tensor_proto))
        for event in events(run.path / "train").Tensors("epoch_images_per_second")
    ]
    assert values == [240, 240]


def test_texts_say_what_the_run_is(run, digits):
    architecture = texts(run.path, "architecture")
    assert "61,706" in architecture
    assert "| C3 | convolution | 10×10×16 | 2,416 |" in architecture
    assert "| optimizer.name | adam |" in texts(run.path, "recipe")
    assert "| epochs | 3 |" in texts(run.path, "recipe")
    assert digits.sha256 in texts(run.path, "data")
    assert "| seed | 0 |" in texts(run.path, "run")


def test_graphs_show_the_layers(run):
    found = events(run.path)
    graph = (
        tf.compat.v1.GraphDef.FromString(found._graph)
        if isinstance(found._graph, bytes)
        else found.Graph()
    )
    boxes = {node.name.split("/")[0] for node in graph.node}
    assert set(LAYERS) <= boxes
    layers = keras_model_to_graph_def(json.loads(texts(run.path, "keras")))
    chain = [
        (node.name.rpartition("/")[2], [name.rpartition("/")[2] for name in node.input])
        for node in layers.node
    ]
    assert [name for name, _ in chain] == [
        "INPUT",
        "C1",
        "S2",
        "C3",
        "S4",
        "FLATTEN",
        "C5",
        "F6",
        "OUTPUT",
    ]
    assert all(inputs == [chain[number][0]] for number, (_, inputs) in enumerate(chain[1:]))


def test_hyperparameters_and_the_result(run):
    found = events(run.path)
    plugins = found.PluginTagToContent("hparams")
    began = plugin_data_pb2.HParamsPluginData.FromString(
        plugins["_hparams_/session_start_info"]
    ).session_start_info
    values = {
        name: value.number_value or value.string_value for name, value in began.hparams.items()
    }
    assert values["network"] == "lenet5"
    assert (values["epochs"], values["batch_size"], values["parameters"]) == (3, 32, 61_706)
    assert values["learning_rate"] == pytest.approx(0.001)
    assert began.group_name == run.path.name
    config = plugin_data_pb2.HParamsPluginData.FromString(
        plugins["_hparams_/experiment"]
    ).experiment
    assert {info.name for info in config.hparam_infos} == set(values)
    for metric in config.metric_infos:
        assert metric.name.tag in events(run.path / metric.name.group).Tags()["tensors"], metric
    ended = plugin_data_pb2.HParamsPluginData.FromString(
        plugins["_hparams_/session_end_info"]
    ).session_end_info
    assert ended.status == 1
    (tested,) = found.Tensors("test_accuracy")
    assert float(tf.make_ndarray(tested.tensor_proto)) == pytest.approx(
        run.metrics["test_accuracy"]
    )


def test_pr_curves_are_those_of_the_validation_images(run, digits):
    """True and false positives at a threshold, counted one by one."""
    held = split_data(digits, 0.2, 0).validation_indices
    chances = lenet_tf.predict(run, digits.x_train[held])
    for label in (0, 7):
        curve = tf.make_ndarray(
            events(run.path / "validation").Tensors(f"class_{label}/pr_curves")[-1].tensor_proto
        )
        count = curve.shape[1]
        for place in (1, count // 2, count - 2):
            said = chances[:, label] >= place / (count - 1)
            assert curve[0, place] == sum(said & (digits.y_train[held] == label))
            assert curve[1, place] == sum(said & (digits.y_train[held] != label))


def test_maps_are_those_of_one_image_of_each_class(run, digits):
    held = split_data(digits, 0.2, 0).validation_indices
    first = [
        next(number for number in held if digits.y_train[number] == label) for label in range(10)
    ]
    maps = feature_maps(run.model, digits.x_train[first])
    assert np.array_equal(picture(run.path / "validation", "maps/C3"), maps_mosaic(maps["C3"]))
    shown = picture(run.path / "validation", "maps/F6")
    # A line for each digit, a square for each of 84 units.
    side = 12 + 3
    assert shown.shape == (10 * side + 3, 84 * side + 3, 1)
    darkest = np.unravel_index(np.argmax(maps["F6"]), maps["F6"].shape)
    assert shown[darkest[0] * side + 8, darkest[1] * side + 8, 0] == 0


def test_mosaics_against_loops():
    random = np.random.default_rng(0)
    maps = random.normal(size=(2, 10, 10, 3))
    drawn = maps_mosaic(maps)[..., 0]
    side = 20 + 3
    for image in range(2):
        for number in range(3):
            part = drawn[
                image * side + 3 : (image + 1) * side, number * side + 3 : (number + 1) * side
            ][::2, ::2]
            expected = 255 - 255 * (maps[image, :, :, number] - maps.min()) / (
                maps.max() - maps.min()
            )
            assert np.abs(part - expected).max() <= 1
    kernels = random.normal(size=(5, 5, 2, 4))
    kernels[:, :, 1, 2] = np.nan
    colored = filters_mosaic(kernels)
    side = 40 + 3
    assert colored.shape == (2 * side + 3, 4 * side + 3, 3)
    assert (colored[side + 3 : 2 * side, 2 * side + 3 : 3 * side] == 255).all()
    red, _, blue = colored[3::8, 3::8][:5, :5].astype(int).transpose(2, 0, 1)
    strong = np.abs(kernels[:, :, 0, 0]) > 0.3
    assert ((red > blue) == (kernels[:, :, 0, 0] > 0))[strong].all()


def test_the_projector_has_f6_and_the_images(run, digits):
    points = np.loadtxt(run.path / "projector" / "points.tsv", delimiter="\t")
    assert points.shape == (100, 84)
    np.testing.assert_allclose(
        points, feature_maps(run.model, digits.x_test)["F6"], rtol=1e-3, atol=1e-4
    )
    lines = (run.path / "projector" / "images.tsv").read_text().splitlines()
    answers = lenet_tf.predict(run, digits.x_test).argmax(axis=1)
    assert lines[0].split("\t") == ["label", "answer", "right"]
    assert [line.split("\t")[:2] for line in lines[1:]] == [
        [str(a), str(b)] for a, b in zip(digits.y_test, answers, strict=True)
    ]
    sprite = np.asarray(Image.open(run.path / "projector" / "images.png"))
    assert sprite.shape == (280, 280)
    assert np.array_equal(sprite[28:56, 56:84], 255 - digits.x_test[12].reshape(28, 28))
    config = (run.path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "projector/points.tsv"' in config


@pytest.mark.slow
@pytest.mark.parametrize(("every", "shown"), [(2, [1, 3, 4]), (None, [0, 4]), (0, None)])
def test_chosen_epochs(digits, tmp_path, every, shown):
    board = lenet_tf.Board(images_every=every)
    run = fit("tiny", digits, epochs=5, logs=tmp_path, board=board, quiet=True)
    if shown is None:
        assert not [
            tag
            for tag in events(run.path / "validation").Tags()["tensors"]
            if not tag.startswith(("epoch", "evaluation"))
        ]
        assert not (run.path / "projector").exists()
    else:
        assert steps(run.path / "validation", "answers/confusion_matrix") == shown
        assert steps(run.path / "train", "filters/C1") == shown


def test_an_early_end_is_shown_too(digits, tmp_path):
    steep = replace(lenet_tf.get_spec("tiny").recipe, optimizer=Optimizer("adam", 0.1))
    options = {"epochs": 40, "early_stopping": 1, "board": lenet_tf.Board(), "quiet": True}
    run = fit("tiny", digits, recipe=steep, logs=tmp_path, **options)
    assert 1 < run.metrics["epochs"] < 40
    assert steps(run.path / "validation", "maps/C1") == [0, run.metrics["epochs"] - 1]
    assert steps(run.path / "train", "filters/C1") == [0, run.metrics["epochs"] - 1]


@pytest.mark.slow
def test_looking_changes_nothing(digits, tmp_path):
    """Dropout, too, draws as if nobody looked."""
    runs = [
        fit("keras-convnet", digits, epochs=2, device="cpu", logs=tmp_path, board=board, quiet=True)
        for board in (ALL, NONE)
    ]
    assert all(
        np.array_equal(a, b)
        for a, b in zip(*(run.model.get_weights() for run in runs), strict=True)
    )
    assert runs[0].history["val_loss"] == runs[1].history["val_loss"]
    assert not [
        tag for tag in events(runs[1].path / "train").Tags()["tensors"] if "histogram" in tag
    ]


@pytest.mark.slow
def test_an_interrupted_run_shows_what_a_whole_one_does(digits, tmp_path):
    import keras

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    options = {
        "epochs": 3,
        "seed": 3,
        "device": "cpu",
        "board": lenet_tf.Board(images_every=2),
        "quiet": True,
    }
    whole = fit("tiny", digits, logs=tmp_path / "whole", **options)
    with pytest.raises(Interrupted):
        fit("tiny", digits, logs=tmp_path / "other", callbacks=[Stop()], **options)
    (folder,) = (tmp_path / "other" / "fit").iterdir()
    resume(folder, digits, quiet=True)
    for part in (".", "train", "validation"):
        tags = events(whole.path / part).Tags()["tensors"]
        assert events(folder / part).Tags()["tensors"] == tags
        for tag in tags:
            assert steps(folder / part, tag) == steps(whole.path / part, tag), tag
    # Each event stands once, whatever was written again.
    assert sorted(path.suffix for path in folder.glob("*tfevents*")) == [".begun", ".ended"]


@pytest.mark.slow
def test_the_choice_is_kept_in_the_run(run, digits, cli, tmp_path):
    config = json.loads((run.path / "config.json").read_text())
    assert config["tensorboard"] == {
        "images_every": None,
        "histograms": ["weights", "activations", "gradients"],
    }
    done = cli.train(
        "tiny",
        "--data",
        "sample",
        "--epochs",
        1,
        "--images-every",
        0,
        "--histograms",
        "gradients",
        "-q",
    )
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "work" / "logs" / "fit").iterdir()
    again = cli.train("--from-run", folder, "--histograms", "none", "--logs", "again", "-q")
    assert again.exit_code == 0, again.output
    (second,) = (tmp_path / "work" / "again" / "fit").iterdir()
    assert json.loads((second / "config.json").read_text())["tensorboard"] == {
        "images_every": 0,
        "histograms": [],
    }


def test_what_cannot_be_shown(run, digits, cli, tmp_path):
    with pytest.raises(
        SpecError, match="images_every must be a number of epochs, 0 for never, or None, not -1"
    ):
        lenet_tf.Board(images_every=-1)
    done = cli.train("tiny", "--data", "sample", "--histograms", "weights,activation")
    assert done.exit_code != 0
    assert done.output.splitlines() == [
        "Error: histograms must be of weights, activations, gradients, not 'activation'"
    ]
    assert not (tmp_path / "work" / "logs").exists()
    from lenet_tf.training.tensorboard.options import Board

    with pytest.raises(RunError, match="config.json has no usable 'tensorboard'"):
        Board.from_config({"tensorboard": {"images_evry": 3}})


def repeated(digits, channels):
    """The digits in so many equal channels; 0: without a channel axis, as 64-bit numbers."""
    if not channels:
        return {
            name: getattr(digits, name).reshape(-1, 28, 28).astype(np.int64)
            for name in ("x_train", "x_test")
        }
    return {
        name: getattr(digits, name).reshape(-1, 28, 28, 1).repeat(channels, axis=3)
        for name in ("x_train", "x_test")
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
def test_what_a_person_gets_who_asks_for_nothing(
    digits, tmp_path, network, channels, precision, recwarn
):
    """Pictures, projector and report, for networks and images of every kind."""
    data = replace(digits, **repeated(digits, channels))
    options = {
        "epochs": 1,
        "validation": 0.2,
        "precision": precision,
        "logs": tmp_path,
        "quiet": True,
    }
    run = fit(network, data, board=ALL, report=True, device="cpu", **options)
    assert not [
        str(warning.message)
        for warning in recwarn
        if "TensorBoard" in str(warning.message) or "report" in str(warning.message)
    ]
    assert {"answers/confusion_matrix", "answers/worst_mistakes"} <= set(
        events(run.path / "validation").Tags()["tensors"]
    )
    assert (run.path / "report.html").exists()
    assert (run.path / "projector" / "points.tsv").exists()


def test_test_images_are_looked_at_as_the_run_prepares_them(digits, tmp_path):
    """Divided twice: what is shown agrees with the run's bad result, not with what the network could."""
    twice = Preparation(test_normalization="unit_twice")
    spec = replace(lenet_tf.get_spec("tiny"), preparation=twice, recipe=Recipe(validation="test"))
    run = fit(spec, digits, epochs=3, logs=tmp_path, board=lenet_tf.Board(), quiet=True)
    lines = (run.path / "projector" / "images.tsv").read_text().splitlines()[1:]
    assert sum(line.endswith("right") for line in lines) == round(
        100 * run.metrics["test_accuracy"]
    )
    curve = tf.make_ndarray(
        events(run.path / "validation").Tensors("class_3/pr_curves")[-1].tensor_proto
    )
    said = lenet_tf.predict(run, digits.x_test, twice.for_test_images)[:, 3] >= 20 / 200
    assert curve[0, 20] == sum(said & (digits.y_test == 3))


def test_images_sorted_by_class_are_looked_at_evenly(digits):
    order = np.argsort(digits.y_train, kind="stable")
    data = replace(digits, x_train=digits.x_train[order], y_train=digits.y_train[order])
    _, labels = validation_images(split_data(data, 0.5, 0), 20)
    assert set(labels) == set(range(10))


@pytest.mark.slow
def test_pictures_of_an_early_end_stand_once_after_an_interruption(digits, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    steep = replace(lenet_tf.get_spec("tiny").recipe, optimizer=Optimizer("adam", 0.1))
    options = {
        "recipe": steep,
        "epochs": 40,
        "early_stopping": 1,
        "board": lenet_tf.Board(),
        "quiet": True,
    }
    monkeypatch.setattr("lenet_tf.training.tensorboard.projector.write_projector", stop)
    with pytest.raises(Interrupted):
        fit("tiny", digits, logs=tmp_path, **options)
    monkeypatch.undo()
    (folder,) = (tmp_path / "fit").iterdir()
    run = resume(folder, digits, quiet=True)
    for part, tag in (
        ("validation", "answers/confusion_matrix"),
        ("validation", "class_0/pr_curves"),
        ("train", "filters/C1"),
    ):
        assert steps(folder / part, tag) == [0, run.metrics["epochs"] - 1]


def test_a_picture_that_fails_costs_no_epoch(digits, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no such picture")

    monkeypatch.setattr("lenet_tf.evaluation.figures.plot_confusion_matrix", fail)
    with pytest.warns(
        UserWarning, match="TensorBoard lacks the images of epoch 1: ValueError: no such picture"
    ):
        run = fit(
            "tiny", digits, epochs=1, logs=tmp_path, board=lenet_tf.Board(), report=True, quiet=True
        )
    assert run.metrics["epochs"] == 1
    assert not (run.path / "report.html").exists()
