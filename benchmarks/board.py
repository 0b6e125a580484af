"""Measure what TensorBoard adds to an epoch of LeNet-5 on MNIST, into results/board.json.

A run of a few epochs writes all images and histograms after each epoch. The functions that write
are timed where they are called. The first epoch is reported apart because matplotlib starts in it.
Usage: board.py [--epochs 6] on a quiet machine.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from unittest import mock

from common import RESULTS, write_result

import lenet_tf
from lenet_tf.runtime import environment
from lenet_tf.training.tensorboard.options import HISTOGRAMS

RESULT = RESULTS / "board.json"


def render_markdown(result: dict[str, Any]) -> str:
    """Returns the README's sentences about the costs."""
    epoch, parts = result["seconds_per_epoch"], result["seconds"]
    images = parts["pictures and PR curves"]

    def format_seconds(part: str) -> str:
        return f"{parts[part]['median']:.2f} s"

    def format_share(part: str) -> str:
        return f"{parts[part]['median'] / epoch:.1%}"

    def format_cost(part: str) -> str:
        return f"{format_seconds(part)} ({format_share(part)})"

    return (
        f"An epoch takes {epoch:.1f} s (`lenet5` on MNIST, median of {result['epochs']},"
        f" `benchmarks/board.py`). In each epoch, histograms of the weights add"
        f" {format_cost('histograms of weights')}, histograms of activations and gradients"
        f" {format_cost('histograms of activations and gradients')}, and images with PR curves"
        f" {format_cost('pictures and PR curves')}, {images['first']:.1f} s the first time. Once"
        f" per run, text and graph add {format_seconds('texts, graph and hyperparameters')} and"
        f" the projector {format_seconds('end: test result and projector')}."
    )


def record_seconds(seconds: list[float], function: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps the function so that each call appends its duration to `seconds`."""

    @functools.wraps(function)
    def timed_function(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments, **options)
        seconds.append(time.perf_counter() - start)
        return result

    return timed_function


def measure(epochs: int) -> tuple[float, dict[str, list[float]]]:
    """Returns the median seconds of an epoch, and the seconds of each call by what it writes."""
    data, seconds = lenet_tf.load_data("mnist"), defaultdict(list)

    # Start TensorFlow with this package's settings before the modules below load it.
    fit = lenet_tf.fit
    from lenet_tf.training import trainer
    from lenet_tf.training.tensorboard import callback, run_summary

    watched = {
        "texts, graph and hyperparameters": (run_summary, "log_run_start"),
        "pictures and PR curves": (callback, "_write_images"),
        "histograms of activations and gradients": (callback, "_write_flow_histograms"),
        "histograms, all": (callback.TensorBoard, "_log_weights"),
        "end: test result and projector": (trainer, "log_run_end"),
    }
    board = lenet_tf.Board(images_every=1, histograms=HISTOGRAMS)
    options = {"device": "cpu", "report": False, "quiet": True}
    with contextlib.ExitStack() as stack:
        logs = stack.enter_context(tempfile.TemporaryDirectory())
        for part, (owner, name) in watched.items():
            function = record_seconds(seconds[part], getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, function))
        run = fit("lenet5", data, epochs=epochs, board=board, logs=logs, **options)
    # One method writes all histograms and calls the one for activations and gradients.
    flow = seconds["histograms of activations and gradients"]
    pairs = zip(seconds.pop("histograms, all"), flow, strict=True)
    seconds["histograms of weights"] = [total - part for total, part in pairs]
    return statistics.median(run.history["seconds"]), seconds


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    seconds_per_epoch, seconds = measure(options.epochs)
    result = {
        "epochs": options.epochs,
        "seconds_per_epoch": seconds_per_epoch,
        "seconds": {
            part: {"first": values[0], "median": statistics.median(values[1:] or values)}
            for part, values in sorted(seconds.items())
        },
        "machine": environment.describe_machine(),
        "commit": environment.git_commit(),
    }
    write_result(RESULT, result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
