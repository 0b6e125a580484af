"""What is said to a person before and after a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lenet_tf.data.dataset import Split
from lenet_tf.runtime.device import Device
from lenet_tf.runtime.environment import program_name
from lenet_tf.runtime.threads import uses_one_thread
from lenet_tf.specs import Spec


def run_start_message(
    spec: Spec, divided: Split, place: Device, taking: str, seed: int, folder: Path, done: int = 0
) -> str:
    """The network, its data, the processor, how steps are taken and where the run goes; `taking` is the engine in words, `done` the number
    of epochs that were finished before."""
    data = divided.raw
    slow = spec.recipe.optimizer.name == "sdlm" and place.name == "/CPU:0" and not uses_one_thread()
    hint = (
        "        TensorFlow runs in several threads; lenet_tf.use_one_thread() before it starts is faster here\n"
        if slow
        else ""
    )
    held = (
        "the test images"
        if spec.recipe.validation == "test"
        else f"{len(divided.held):,} training images held back"
    )
    return (
        f"{spec.name}  {spec.parameters:,} parameters, epochs {spec.recipe.epochs}, batch size {spec.recipe.batch_size}, seed {seed}\n"
        f"data    {data.name} {data.version} from {data.source}: {len(divided.kept):,} images to train,"
        f" {len(data.x_test):,} to test\n"
        f"        validated on {held}\n"
        f"device  {place.label}\n"
        f"engine  {taking}\n{hint}"
        f"run     {folder}{f', goes on after epoch {done}' if done else ''}"
    )


def resume_command(folder: Path) -> str:
    """What a person types to go on with a run."""
    return f"  {program_name('lenet-tf')} train --resume {shlex.quote(str(folder))}"


def run_end_message(metrics: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The test result and the time."""
    count = data["images"]["test"]
    where = (
        "digits of the embedded sample, NOT of MNIST"
        if data["name"] == "sample"
        else f"images of {data['name']}"
    )
    return (
        f"test accuracy {metrics['test_accuracy']:.2%} on {count:,} {where}\n"
        f"test loss {metrics['test_loss']:.4f}, after epoch {metrics['epochs']};"
        f" best on validation: epoch {metrics['best_epoch']} with {metrics['best_val_accuracy']:.2%}\n"
        f"{metrics['seconds_per_epoch']:.1f} s per epoch, {metrics['seconds']:.0f} s in all"
    )


def next_steps_message(path: Path, logs: Path) -> str:
    """Commands that a person can type after a run."""
    tensorboard, command, folder = (
        program_name("tensorboard"),
        program_name("lenet-tf"),
        shlex.quote(str(path)),
    )
    page = path / "report.html"
    look = f"  look at it              {shlex.quote(str(page))}\n" if page.exists() else ""
    return (
        f"\nNext:\n{look}"
        f"  curves and histograms   {tensorboard} --logdir {shlex.quote(str(logs))}\n"
        f"  test it again           {command} evaluate {folder}\n"
        f"  run it again            {command} train --from-run {folder}\n"
        f"  in Python               lenet_tf.load_model({str(path / 'final.keras')!r})"
    )


def render_digit(digit: Any) -> str:
    """An image uint8 (height, width) of an even height as text: two rows of pixels a line, since letters are twice as high as wide."""
    shades = " ░▒▓█"
    rows = digit.reshape(digit.shape[0] // 2, 2, digit.shape[1]).mean(axis=1)
    return "\n".join(
        "".join(shades[round(value / 255 * (len(shades) - 1))] for value in row) for row in rows
    )
