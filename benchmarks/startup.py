"""Measure how long users wait for `lenet-tf` and for the first step of training and predicting.

Prints the median and the range of fresh processes, after one that warms the disk cache.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS, REPEATS_WITH_TENSORFLOW = 15, 5
COMMANDS = (["--help"], ["summary", "lenet5"], ["variants"], ["train", "--help"])

# Prints the seconds from the start of the process to the end of each phase.
PHASES = """
import time
start = time.perf_counter()
import json, sys, tempfile, lenet_tf
from lenet_tf.runtime.tensorflow_start import start_tensorflow
start_tensorflow()
phases = {"TensorFlow imported": time.perf_counter() - start}
data = lenet_tf.load_data("mnist")
phases["data read"] = time.perf_counter() - start
fit = lenet_tf.fit
import keras

class Watch(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        phases["network built"] = time.perf_counter() - start

    def on_train_batch_end(self, batch, logs=None):
        phases.setdefault("first call of 125 steps done", time.perf_counter() - start)

with tempfile.TemporaryDirectory() as logs:
    if sys.argv[1] == "train":
        options = {"board": lenet_tf.Board(images_every=0), "report": False, "quiet": True}
        fit("lenet5", data, epochs=1, device="cpu", logs=logs, callbacks=[Watch()], **options)
    else:
        model = lenet_tf.load_model(sys.argv[2])
        phases["model loaded"] = time.perf_counter() - start
        lenet_tf.predict_outputs(model, data.x_test[:1])
        phases["one image predicted"] = time.perf_counter() - start
print(json.dumps(phases))
"""

SAVE_MODEL = "import lenet_tf, sys; lenet_tf.LeNet('lenet5', seed=0).save(sys.argv[1])"


def measure_phases(task: str, model: Path) -> dict[str, float]:
    """Seconds until each phase of a fresh process has ended. The task is train or predict."""
    command = [sys.executable, "-c", PHASES, task, str(model)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    output = subprocess.run(command, check=True, **options).stdout
    return json.loads(output.splitlines()[-1])


def measure_command(arguments: list[str]) -> float:
    """Seconds of one `lenet-tf` process."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "lenet_tf", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def format_range(seconds: list[float], digits: int) -> str:
    """The median, minimum and maximum in columns."""
    numbers = (statistics.median(seconds), min(seconds), max(seconds))
    return "".join(f"{number:>8.{digits}f}" for number in numbers)


def print_commands() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}, {REPEATS} runs each; seconds")
    print(f"{'command':<28}{'median':>8}{'min':>8}{'max':>8}")
    for arguments in COMMANDS:
        measure_command(arguments)
        seconds = [measure_command(arguments) for _ in range(REPEATS)]
        print(f"lenet-tf {' '.join(arguments):<19}{format_range(seconds, 3)}")


def print_phases(task: str, model: Path) -> None:
    measure_phases(task, model)
    measured = [measure_phases(task, model) for _ in range(REPEATS_WITH_TENSORFLOW)]
    print(f"{task}: seconds from the start of the process, {REPEATS_WITH_TENSORFLOW} runs")
    for phase in measured[0]:
        print(f"  {phase:<35}{format_range([phases[phase] for phases in measured], 2)}")


def main() -> None:
    print_commands()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.keras"
        command = [sys.executable, "-c", SAVE_MODEL, str(model)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        for task in ("train", "predict"):
            print_phases(task, model)


if __name__ == "__main__":
    main()
