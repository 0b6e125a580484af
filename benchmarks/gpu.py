"""Measure training on a GPU within five minutes, into results/gpu.json and a table.

It measures the start of a process, epochs of the tutorial's recipe by Keras' steps and by the graph
loop at three batch sizes, four precisions, and the recipes `fast` and `accurate` (two of its
epochs). Several devices, such as gpu:all, have a loop of their own, which takes the place of both.
What doesn't fit into --limit is left out and named. Without a GPU it refuses, except with --quick,
which tries everything on a few images and writes no file unless --output names one, or --device
cpu.

Usage: gpu.py [--limit SECONDS] [--cases start,loops,…] [--device cpu] [--quick] [--output FILE].
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import common

RESULT = common.RESULTS / "gpu.json"
LIMIT, BATCH_SIZES, EPOCHS = 270, (32, 128, 1024), 3
# A compilation may not end in time: the process stops this long after its limit, but not before
# TensorFlow's import, which takes long on a busy machine.
GRACE, SHORTEST = 15, 120
GROUPS = ("start", "loops", "fast", "precisions", "accurate")
# The recipe `accurate` holds out 2%, which must have an image of each class.
QUICK_IMAGES = 600, 100
PRECISIONS = ("float32", "tf32", "mixed_float16", "mixed_bfloat16")
START = """
import sys, lenet_tf
data = lenet_tf.load_data("sample")
few = lenet_tf.RawData(data.x_train[:64], data.y_train[:64], data.x_test[:64], data.y_test[:64])
options = {"device": sys.argv[1], "logs": sys.argv[2], "quiet": True, "report": False}
lenet_tf.fit("lenet5", few, epochs=1, **options)
"""


@dataclass(frozen=True)
class Case:
    """A run to measure: its group, its name for people, the network and the options of `fit`."""

    group: str
    name: str
    network: str = "lenet5"
    options: dict[str, Any] = field(default_factory=dict)
    tf32: bool = True


def list_cases(device: Any) -> Iterator[Case]:
    """The runs, the most important first."""
    # Several devices have one loop, which only "auto" chooses.
    loops = {"keras": "keras", "graph": "graph"} if device.count == 1 else {"mirrored": "auto"}
    for batch_size in BATCH_SIZES:
        for loop, engine in loops.items():
            options = {"batch_size": batch_size, "engine": engine, "epochs": EPOCHS}
            yield Case("loops", f"lenet5, batch {batch_size}, {loop}", options=options)
    yield Case("fast", "lenet5-modern, fast", "lenet5-modern", {"recipe": "fast"})
    for precision in PRECISIONS:
        # Only a GPU rounds to TF32.
        if precision == "tf32" and device.is_cpu:
            continue
        loop, engine = next(iter(loops.items()))
        options = {"batch_size": 128, "engine": engine, "epochs": 2}
        options["precision"] = "float32" if precision == "tf32" else precision
        name = f"lenet5, batch 128, {loop}, {precision}"
        yield Case("precisions", name, options=options, tf32=precision != "float32")
    options = {"recipe": "accurate", "epochs": 2}
    yield Case("accurate", "lenet5-modern, accurate, 2 epochs", "lenet5-modern", options)


def measure_start(device: str, limit: float) -> dict[str, Any]:
    """Seconds of a whole process that trains on 64 images."""
    with tempfile.TemporaryDirectory() as logs:
        start = time.monotonic()
        command = [sys.executable, "-c", START, device, logs]
        subprocess.run(command, check=True, timeout=limit, stdout=subprocess.DEVNULL)
        return {"process": time.monotonic() - start}


def measure_case(case: Case, data: Any, device: str, deadline: float) -> dict[str, Any]:
    """Seconds per epoch and the test accuracy. A run that would end too late raises Interrupted."""
    import keras
    import tensorflow as tf

    import lenet_tf

    class Deadline(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if time.monotonic() > deadline:
                raise KeyboardInterrupt

    tf.config.experimental.enable_tensor_float_32_execution(case.tf32)
    with tempfile.TemporaryDirectory() as logs:
        run = lenet_tf.fit(
            case.network,
            data,
            device=device,
            logs=logs,
            quiet=True,
            report=False,
            board=lenet_tf.Board(images_every=0, histograms=()),
            callbacks=Deadline(),
            **case.options,
        )
    first, *others = run.history["seconds"]
    return {
        "first_epoch": first,
        "epoch": min(others or [first]),
        "seconds": run.metrics["seconds"],
        "epochs": run.metrics["epochs"],
        "test_accuracy": run.metrics["test_accuracy"],
    }


def render_table(result: dict[str, Any]) -> str:
    """Returns the measurements as Markdown."""
    lines = [
        "| run | first epoch, s | epoch, s | whole run, s | test accuracy |",
        "|---|---|---|---|---|",
    ]
    for name, case in result["cases"].items():
        if "process" in case:
            lines.append(f"| {name} | – | – | {case['process']:.1f} | – |")
            continue
        lines.append(
            f"| {name} | {case['first_epoch']:.2f} | {case['epoch']:.2f} |"
            f" {case['seconds']:.1f} | {case['test_accuracy']:.2%} |"
        )
    if result["left_out"]:
        lines += ["", f"Left out: {'; '.join(result['left_out'])}."]
    return "\n".join(lines)


def choose_device(name: str) -> Any:
    """Returns the device, or exits where there is no GPU to measure."""
    from lenet_tf.errors import DeviceError
    from lenet_tf.runtime import device

    try:
        return device.choose_device(name)
    except DeviceError as error:
        raise SystemExit(f"Error: {error}\nOr try the script on a few images: --quick") from error


def load_images(is_quick: bool, images: int | None) -> Any:
    """Returns MNIST, the first images of it, or a few digits."""
    import lenet_tf

    if not is_quick and images is None:
        return lenet_tf.load_data("mnist")
    data = lenet_tf.load_data("sample" if is_quick else "mnist")
    train, test = QUICK_IMAGES if is_quick else (images, len(data.x_test))
    parts = (data.x_train[:train], data.y_train[:train], data.x_test[:test], data.y_test[:test])
    return lenet_tf.RawData(*parts, num_classes=10)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=LIMIT, metavar="SECONDS")
    parser.add_argument("--cases", default=",".join(GROUPS), help="default: %(default)s")
    parser.add_argument("--device", help="default: gpu; with --quick auto")
    parser.add_argument("--images", type=int, help="take the first training images only")
    parser.add_argument("--quick", action="store_true", help="try everything on a few images")
    parser.add_argument("--output", type=Path, help="default: results/gpu.json; with --quick none")
    arguments = parser.parse_args()
    arguments.groups = [group.strip() for group in arguments.cases.split(",")]
    unknown = [group for group in arguments.groups if group not in GROUPS]
    if unknown:
        parser.error(f"unknown case {unknown[0]!r}: choose some of {', '.join(GROUPS)}")
    # Five minutes later would be too late to find this out.
    if arguments.output and not arguments.output.absolute().parent.is_dir():
        parser.error(f"--output: the folder {arguments.output.parent} does not exist")
    arguments.device = arguments.device or ("auto" if arguments.quick else "gpu")
    if not arguments.quick:
        arguments.output = arguments.output or RESULT
    return arguments


def start_timer(result: dict[str, Any], limit: float) -> None:
    """Stop the process some time after its limit, with the table of what is finished."""

    def stop() -> None:
        print(f"{render_table(result)}\n\nStopped at the time limit.", flush=True)
        os._exit(3)

    timer = threading.Timer(max(limit + GRACE, SHORTEST), stop)
    timer.daemon = True
    timer.start()


def measure(
    result: dict[str, Any], device: Any, arguments: argparse.Namespace, deadline: float
) -> None:
    """Run the cases until the deadline, and write the result after each."""
    from lenet_tf.errors import Interrupted
    from lenet_tf.runtime.device import to_device_option

    def write() -> None:
        if arguments.output:
            common.write_result(arguments.output, result)

    option = to_device_option(device.name)
    if "start" in arguments.groups:
        try:
            start = measure_start(option, max(1.0, deadline - time.monotonic()))
            result["cases"]["start of a process that trains on 64 images"] = start
        except subprocess.CalledProcessError as error:
            raise SystemExit(
                f"Error: training on {option} failed in a process of its own"
            ) from error
        except subprocess.TimeoutExpired:
            result["left_out"].append("start")
        write()
    data = load_images(arguments.quick, arguments.images)
    for case in list_cases(device):
        if case.group not in arguments.groups:
            continue
        if time.monotonic() > deadline:
            result["left_out"].append(case.name)
            write()
            continue
        print(f"{case.name} …", file=sys.stderr, flush=True)
        try:
            result["cases"][case.name] = measure_case(case, data, option, deadline)
        except Interrupted:
            result["left_out"].append(case.name)
        write()


def main() -> None:
    """Measure, and print a table."""
    start = time.monotonic()
    arguments = parse_arguments()
    result: dict[str, Any] = {"cases": {}, "left_out": []}
    start_timer(result, arguments.limit)
    device = choose_device(arguments.device)
    result |= {"device": device.label, "quick": arguments.quick, "images": arguments.images}
    result |= common.describe_session()
    measure(result, device, arguments, start + arguments.limit)
    print(f"{device.label}\n\n{render_table(result)}")
    if arguments.output:
        print(f"\nWritten to {arguments.output}")


if __name__ == "__main__":
    main()
