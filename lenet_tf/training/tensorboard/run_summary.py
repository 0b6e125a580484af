"""What TensorBoard shows of a run as a whole: texts, graph, hyperparameters, test result."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorboard.compat.proto.summary_pb2 import SummaryMetadata
from tensorboard.plugins.hparams import api as hp
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.summary import experiment_pb, session_end_pb

from lenet_tf.evaluation.markdown import render_architecture, render_values
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runs.validation import parse_time
from lenet_tf.text import escape_controls

# Suffixes of the two event files.
_START_SUFFIX, _END_SUFFIX = ".begun", ".ended"
# Columns that the HParams table shows first. TensorBoard sorts by name, hyperparameters that differ
# before others, shows five of them, and then the metrics.
_FIRST_COLUMNS = ("network", "learning_rate", "optimizer")
# Metrics of the HParams table: part of the run folder, tag, name.
_METRICS = (
    ("", "test_accuracy", "test accuracy"),
    ("", "test_loss", "test loss"),
    ("validation", "epoch_accuracy", "validation accuracy"),
    ("train", "epoch_loss", "training loss"),
    ("train", "epoch_seconds", "seconds per epoch"),
)


def log_run_start(record: RunRecord, model: LeNet) -> None:
    """Write texts, graph and hyperparameters of a run.

    Args:
        record: The run.
        model: The compiled network.

    Raises:
        OSError, tf.errors.OpError: The events cannot be written.
    """
    config, folder = record.config, record.path
    with event_writer(folder, _START_SUFFIX):
        tf.summary.text("architecture", render_architecture(record.spec, record.compiled), step=0)
        tf.summary.text("recipe", render_values(record.recipe), step=0)
        tf.summary.text("data", render_values(config["data"]), step=0)
        run: dict[str, Any] = {
            name: config[name]
            for name in ("variant", "seed", "started", "device", "settings", "versions", "machine")
            if name in config
        }
        tf.summary.text("run", render_values(run), step=0)
        with warn_on_error("TensorBoard has no graph of this network"):
            _write_graph(model)
        values = _hyperparameters(model, record)
        # TensorBoard takes the columns of all runs from the first one: also those empty there.
        more = [escape_controls(name) for name in record.settings.get("hparams", {})]
        names = list(dict.fromkeys([*values, *more]))
        experiment = _describe_experiment(names, {*_FIRST_COLUMNS, *more})
        tf.summary.experimental.write_raw_pb(experiment.SerializeToString(), step=0)
        hp.hparams(
            values,
            trial_id=folder.name,
            # Runs of other versions may not say when they started.
            start_time_secs=parse_time(config["started"]).timestamp()
            if "started" in config
            else None,
        )


def _describe_experiment(names: Sequence[str], first: Set[str]) -> Any:
    """Describe the columns of the HParams table, and those which it shows first."""
    columns = [api_pb2.HParamInfo(name=name, differs=name in first) for name in names]
    metrics = [
        api_pb2.MetricInfo(name=api_pb2.MetricName(group=part, tag=tag), display_name=name)
        for part, tag, name in _METRICS
    ]
    return experiment_pb(columns, metrics)


def log_test_result(folder: Path, test: Mapping[str, float], epochs: int) -> None:
    """Write the test result and mark the run as finished.

    Args:
        folder: The run folder.
        test: Metric name to value on the test images.
        epochs: Number of finished epochs.
    """
    with event_writer(folder, _END_SUFFIX):
        for name, value in test.items():
            tf.summary.scalar(f"test_{name}", value, step=epochs - 1)
        ended = session_end_pb(api_pb2.STATUS_SUCCESS)
        tf.summary.experimental.write_raw_pb(ended.SerializeToString(), step=0)


@contextlib.contextmanager
def event_writer(folder: Path, suffix: str) -> Iterator[None]:
    """Open an event file, in place of one that an interrupted run left.

    Args:
        folder: Where the event file lies.
        suffix: End of its name.
    """
    for old in folder.glob(f"*tfevents*{suffix}"):
        old.unlink()
    writer = tf.summary.create_file_writer(str(folder), filename_suffix=suffix)
    try:
        with writer.as_default():
            yield
    finally:
        writer.close()


@contextlib.contextmanager
def warn_on_error(consequence: str) -> Iterator[None]:
    """Turn an error inside the block into a warning, so that the run continues.

    Args:
        consequence: The first part of the warning.

    Raises:
        OSError, tf.errors.OpError: A file cannot be written.
    """
    try:
        yield
    except (OSError, tf.errors.OpError):
        raise
    except Exception as error:
        text = f"{consequence}: {type(error).__name__}: {error}"
        warnings.warn(escape_controls(text), stacklevel=3)


def _write_graph(model: LeNet) -> None:
    """Write the graph of a forward pass, and the layers as Keras does for its own classes."""

    def forward(images: Any) -> Any:
        # One call per layer makes one box per layer.
        for layer in model.layers:
            images = layer(images, training=False)
        return images

    signature = tf.TensorSpec(model.input_shape, "float32", name="images")
    graph = (
        tf.function(forward, autograph=False).get_concrete_function(signature).graph.as_graph_def()
    )
    # Keras numbers the later calls of a layer, as C1_1.
    numbered = re.compile(
        rf"^({'|'.join(re.escape(layer.name) for layer in model.layers)})_\d+(?=/|$)"
    )
    drawn = type(graph)(node=[node for node in graph.node if node.op != "NoOp"])
    for node in drawn.node:
        node.name = numbered.sub(r"\1", node.name)
        # Control inputs (^C1/…) carry no values.
        node.input[:] = [
            numbered.sub(r"\1", name) for name in node.input if not name.startswith("^")
        ]
    tf.summary.graph(drawn)
    layers = [keras.saving.serialize_keras_object(layer) for layer in model.layers]
    first = {
        "class_name": "InputLayer",
        "config": {"name": model.spec.rows[0].name, "dtype": "float32"},
    }
    sequential = {
        "class_name": "Sequential",
        "config": {"name": model.name, "layers": [first, *layers]},
    }
    metadata = SummaryMetadata(
        plugin_data=SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
    )
    tf.summary.write("keras", json.dumps(sequential), step=0, metadata=metadata)


def _hyperparameters(model: LeNet, record: RunRecord) -> dict[str, Any]:
    spec, config, recipe = record.spec, record.config, record.recipe
    optimizer = recipe["optimizer"]
    return {
        "network": spec.name,
        "parameters": spec.parameters,
        "data": escape_controls(config["data"].get("name", "unknown")),
        "optimizer": escape_controls(optimizer["name"]),
        "learning_rate": record.learning_rate,
        "schedule": escape_controls(optimizer.get("schedule") or "constant"),
        "weight_decay": getattr(model.optimizer, "weight_decay", None) or 0.0,
        "loss": escape_controls(recipe["loss"]),
        "label_smoothing": recipe["label_smoothing"] or 0.0,
        "batch_size": recipe["batch_size"],
        "epochs": recipe["epochs"],
        "validation": str(recipe["validation"]),
        "distorted": spec.recipe.augmentation is not None,
        "seed": config["seed"],
    } | {
        escape_controls(name): escape_controls(value) if isinstance(value, str) else value
        for name, value in record.settings.get("hparams", {}).items()
        if value is not None
    }
