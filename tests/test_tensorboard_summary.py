"""What TensorBoard shows of a run as a whole: texts, graph, hyperparameters, test result."""

from __future__ import annotations

import json

import pytest
import tensorflow as tf
from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard_events import read_events, read_text, read_values


def test_texts_describe_the_run(lenet5_run, digits):
    architecture = read_text(lenet5_run.path, "architecture")
    assert "61,706" in architecture
    assert "| C3 | convolution | 10×10×16 | 2,416 |" in architecture
    recipe = read_text(lenet5_run.path, "recipe")
    assert "| optimizer.name | adam |" in recipe
    assert "| epochs | 3 |" in recipe
    assert digits.sha256 in read_text(lenet5_run.path, "data")
    assert "| seed | 0 |" in read_text(lenet5_run.path, "run")


def test_the_graph_has_a_box_for_each_layer(lenet5_run):
    graph = tf.compat.v1.GraphDef.FromString(
        read_events(lenet5_run.path).Graph().SerializeToString()
    )
    boxes = {node.name.split("/")[0] for node in graph.node}
    assert {"C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT"} <= boxes


def test_the_layers_are_a_chain(lenet5_run):
    layers = keras_model_to_graph_def(json.loads(read_text(lenet5_run.path, "keras")))
    chain = [
        (node.name.rpartition("/")[2], [name.rpartition("/")[2] for name in node.input])
        for node in layers.node
    ]
    names = ["INPUT", "C1", "S2", "C3", "S4", "FLATTEN", "C5", "F6", "OUTPUT"]
    assert [name for name, _ in chain] == names
    assert [inputs for _, inputs in chain[1:]] == [[name] for name in names[:-1]]


def test_hyperparameters_and_the_test_result(lenet5_run):
    folder = lenet5_run.path
    plugins = {
        name: plugin_data_pb2.HParamsPluginData.FromString(content)
        for name, content in read_events(folder).PluginTagToContent("hparams").items()
    }
    start = plugins["_hparams_/session_start_info"].session_start_info
    values = {
        name: value.number_value or value.string_value for name, value in start.hparams.items()
    }
    assert values["network"] == "lenet5"
    assert (values["epochs"], values["batch_size"], values["parameters"]) == (3, 32, 61_706)
    assert values["learning_rate"] == pytest.approx(0.001)
    assert start.group_name == folder.name
    experiment = plugins["_hparams_/experiment"].experiment
    assert {info.name for info in experiment.hparam_infos} == set(values)
    # As TensorBoard sorts them.
    columns = sorted(experiment.hparam_infos, key=lambda info: (not info.differs, info.name))
    assert [info.name for info in columns[:3]] == ["learning_rate", "network", "optimizer"]
    assert experiment.metric_infos[0].name.tag == "test_accuracy"
    for metric in experiment.metric_infos:
        tags = read_events(folder / metric.name.group).Tags()["tensors"]
        assert metric.name.tag in tags, metric
    assert plugins["_hparams_/session_end_info"].session_end_info.status == 1
    (accuracy,) = read_values(folder, "test_accuracy")
    assert float(accuracy) == pytest.approx(lenet5_run.metrics["test_accuracy"])
