"""What TensorBoard's pictures and histograms cost, beside the epochs of LeNet-5 on MNIST, into results/board.json.

One run of a few epochs with everything shown after each; the functions that write are timed where they are called. The first epoch's
pictures are told apart: with them matplotlib starts. Usage: board.py [--epochs 6] on a quiet machine.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import lenet_tf
from lenet_tf.runtime import environment
from lenet_tf.training.tensorboard.options import HISTOGRAMS

RESULT = Path(__file__).parent.parent / "results" / "board.json"


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


def timed(seconds: list[float], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which adds to `seconds` what each of its calls takes."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **given: Any) -> Any:
        begin = time.perf_counter()
        result = function(*arguments, **given)
        seconds.append(time.perf_counter() - begin)
        return result

    return wrapped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    data, took = lenet_tf.load_data("mnist"), defaultdict(list)

    # Starts TensorFlow with this package's settings, before the modules below load it.
    fit = lenet_tf.fit
    from lenet_tf.training import trainer
    from lenet_tf.training.tensorboard import callback, run_summary

    watched = {
        "texts, graph and hyperparameters": (run_summary, "begin"),
        "pictures and PR curves": (callback, "_write_pictures"),
        "histograms of activations and gradients": (callback, "_write_flow"),
        "histograms, all": (callback.TensorBoard, "_log_weights"),
        "end: test result and projector": (trainer, "finish"),
    }
    patches = [
        mock.patch.object(home, name, timed(took[what], getattr(home, name)))
        for what, (home, name) in watched.items()
    ]
    for patch in patches:
        patch.start()
    with tempfile.TemporaryDirectory() as logs:
        board = lenet_tf.Board(images_every=1, histograms=HISTOGRAMS)
        run = fit(
            "lenet5",
            data,
            epochs=options.epochs,
            board=board,
            device="cpu",
            logs=logs,
            report=False,
            quiet=True,
        )
    flow = took["histograms of activations and gradients"]
    took["histograms of weights"] = [
        whole - part for whole, part in zip(took.pop("histograms, all"), flow, strict=True)
    ]
    result = {
        "epochs": options.epochs,
        "seconds_per_epoch": statistics.median(run.history["seconds"]),
        "seconds": {
            what: {"first": values[0], "median": statistics.median(values[1:] or values)}
            for what, values in sorted(took.items())
        },
        "machine": environment.describe_machine(),
        "commit": environment.git_commit(),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
