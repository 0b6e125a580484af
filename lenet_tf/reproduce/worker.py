"""One run of the plan, in a process of its own: begun, gone on with or only read, tested, and written down as a record.

Run by `lenet_tf.reproduce.runner`. Takes its row as a line of JSON on stdin, which stays open.
Says on stdout, a line of JSON each, which epochs are done, and at last the record or the error. When stdin closes, since whoever started
it is gone, it ends its epoch and stops.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from lenet_tf.errors import Interrupted, LenetError, RunError
from lenet_tf.io.atomic import file_lock
from lenet_tf.reproduce.plan import TableRow, decisive_fields
from lenet_tf.reproduce.predictions import encode_classes
from lenet_tf.runs import run_folder
from lenet_tf.runs.run_record import read_run, version_differences
from lenet_tf.runtime import environment, threads
from lenet_tf.runtime.tensorflow_start import start_tensorflow
from lenet_tf.training.tensorboard.options import Board

_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))
SHIFTS = (1, 2, 3, 4)


def run_home(logs: Path, row: TableRow, seed: int) -> Path:
    """Where a run's folder lies, and what is said of it."""
    return logs / "reproduce" / row.name / f"seed-{seed}"


def process_environment(row: TableRow) -> dict[str, str]:
    """For a run's process: the same threads wherever it is made, so that its numbers do not depend on how many cores there are."""
    own = threads.ONE_THREAD if row.spec.recipe.optimizer.name == "sdlm" else threads.ONE_CORE
    return os.environ | threads.keep_user_onednn(own)


def run(
    row: TableRow, seed: int, logs: Path, originals: str | None, notify: Any = lambda said: None
) -> tuple[dict[str, Any], bool]:
    """(The record of a finished run, whether it was finished before). Raises `LenetError` or `Interrupted`."""
    from lenet_tf.data import sources

    home = run_home(logs, row, seed)
    home.mkdir(parents=True, exist_ok=True)
    # Another `reproduce` may be at the same run: then its result is waited for.
    with file_lock(home / ".lock", timeout=-1):
        raw = sources.load_data(row.data, originals)
        start_tensorflow()
        finished, before = _trained(row, seed, home, raw, notify)
        return _record(row, seed, finished, raw), before


def _trained(
    row: TableRow, seed: int, home: Path, raw: Any, notify: Any
) -> tuple[run_folder.Run, bool]:
    import keras

    from lenet_tf.training.config import TrainConfig
    from lenet_tf.training.fit import train
    from lenet_tf.training.resume import resume

    class ReportEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            values = logs or {}
            names = ("val_accuracy", "seconds")
            notify({"epoch": epoch + 1} | {name: values.get(name) for name in names})

    for folder in sorted((home / "fit").glob("*/"), reverse=True):
        if _is_of(folder, row, seed, raw):
            is_finished = (folder / "metrics.json").exists()
            run = resume(folder, raw, report=False, quiet=True, callbacks=[ReportEpoch()])
            return run, is_finished
    # No images: `lenet-tf report` draws those of a run that someone wants to see.
    config = TrainConfig(
        row.spec,
        seed=seed,
        device="cpu",
        logs=home,
        board=Board(images_every=0),
        report=False,
        quiet=True,
    )
    return train(config, raw, callbacks=[ReportEpoch()]), False


def _is_of(folder: Path, row: TableRow, seed: int, raw: Any) -> bool:
    """Whether the run folder is one of the plan as it is now, on these data, with these versions and on such a machine: else there would be
    no saying what made its numbers.
    """
    try:
        old = read_run(folder)
    except LenetError:
        return False
    return (
        decisive_fields(old.spec) == decisive_fields(row.spec)
        and old.settings["seed"] == seed
        and old.config["data"].get("sha256") == raw.sha256
        and not version_differences(old.config)
        and environment.describe_machine() == old.config.get("machine")
    )


def _record(row: TableRow, seed: int, finished: run_folder.Run, raw: Any) -> dict[str, Any]:
    """The record, with the labels and the predictions of all test images as texts; `lenet_tf.reproduce.records` keeps these apart."""
    from lenet_tf.evaluation.evaluate import predict_test

    config = finished.config
    predictions = encode_classes(predict_test(finished.model, raw).argmax(axis=1))
    test = {"accuracy": finished.metrics["test_accuracy"], "loss": finished.metrics["test_loss"]}
    if row.shifted:
        test["shifted"] = _shifted(finished.model, raw)
    return {
        "row": row.name,
        "variant": row.spec.name,
        "seed": seed,
        "digest": row.digest,
        "command": f"lenet-tf reproduce {row.name}",
        "recipe": row.spec.to_dict()["recipe"],
        "parameters": finished.metrics["parameters"],
        "data": {part: config["data"][part] for part in ("name", "version", "sha256")},
        "versions": config["versions"],
        "commit": config.get("commit"),
        "machine": config["machine"],
        "threads": config["device"].get("threads"),
        "finished": finished.metrics["finished"],
        "seconds": round(finished.metrics["seconds"], 1),
        "seconds_per_epoch": round(finished.metrics["seconds_per_epoch"], 2),
        "resumed": finished.metrics["resumed"],
        "epochs": {name: _rounded(name, values) for name, values in finished.history.items()},
        "test": test,
        "labels": encode_classes(raw.y_test),
        "predictions": predictions,
    }


def _rounded(name: str, values: list[float]) -> list[float]:
    return [round(value, 2) for value in values] if name == "seconds" else values


def _shifted(model: Any, raw: Any) -> dict[str, float]:
    """Pixels → accuracy on the test images shifted by so many up, down, left and right, which makes four of each."""
    from lenet_tf.data.corruptions import shift
    from lenet_tf.evaluation.evaluate import evaluate

    def accuracy(down: int, right: int) -> float:
        return evaluate(model, replace(raw, x_test=shift(raw.x_test, down, right)))["accuracy"]

    return {
        str(by): sum(accuracy(by * down, by * right) for down, right in _DIRECTIONS)
        / len(_DIRECTIONS)
        for by in SHIFTS
    }


def _hear() -> TableRow:
    """The row, and from then on an end to this process, in its own way, when the pipe to its parent closes, however that ended."""
    # Not by Python's own stdin, whose lock a thread must not hold when the process ends.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1 << 16) or sys.exit("no row on stdin")

    def wait() -> None:
        while os.read(0, 1 << 16):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
    return TableRow.from_dict(json.loads(line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--originals")
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(what: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            print(json.dumps(what), file=said, flush=True)

    row = _hear()
    if options.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {options.core})
    try:
        record, before = run(row, options.seed, options.logs, options.originals, say)
        say({"record": record, "before": before})
    except Interrupted as error:
        say({"interrupted": str(error)})
        sys.exit(error.exit_code)
    except LenetError as error:
        say({"error": str(error)})
        sys.exit(1)
    except OSError as error:
        say(
            {
                "error": str(
                    RunError(
                        f"{error.strerror or error}: {error.filename or 'while a file was written'}"
                    )
                )
            }
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
