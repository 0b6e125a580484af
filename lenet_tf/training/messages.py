"""Messages before and after a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lenet_tf.data.dataset import RawData, Split
from lenet_tf.evaluation.spec_text import format_compiled
from lenet_tf.runs.run_folder import Run
from lenet_tf.runs.run_record import RunRecord, is_repeatable
from lenet_tf.runtime.device import Device
from lenet_tf.runtime.environment import program_name
from lenet_tf.runtime.threads import uses_one_thread
from lenet_tf.specs.differences import describe_changes
from lenet_tf.text import escape_controls, quote_word
from lenet_tf.training.config import TrainConfig


def run_start_message(
    config: TrainConfig,
    split: Split,
    device: Device,
    loop: str,
    record: RunRecord,
    finished_epochs: int = 0,
) -> str:
    """Return what is printed before a run.

    Args:
        config: The settings of the run.
        split: The data set, split.
        device: The device that trains.
        loop: The training loop, described.
        record: What the run folder says.
        finished_epochs: Epochs that were finished before.
    """
    spec, data = config.spec, split.data
    recipe = spec.recipe
    hint = ""
    if recipe.optimizer.name == "sdlm" and device.is_cpu and not uses_one_thread():
        hint = (
            "        this network trains faster with one thread: call lenet_tf.use_one_thread()"
            " before TensorFlow starts\n"
        )
    compiled = ""
    if record.compiled:
        compiled = f"        {escape_controls(format_compiled(record.compiled))}\n"
    if split.validation_indices is None:
        validation = "the test images"
    else:
        validation = f"{len(split.validation_indices):,} held-out training images"
    tested = f", {len(data.x_test):,} to test" if config.test else ""
    kept = ""
    if data.digest_file is not None:
        kept = f"        SHA-256 kept in {escape_controls(data.digest_file)}\n"
    changed = describe_changes(config.changed)
    changed = f"changed {changed}\n" if changed else ""
    resumed = f", resumes after epoch {finished_epochs}" if finished_epochs else ""
    return (
        f"{spec.name}  {spec.parameters:,} parameters, epochs {recipe.epochs},"
        f" batch size {recipe.batch_size}, seed {config.seed}\n{changed}"
        f"data    {_describe_data(data)}:"
        f" {len(split.train_indices):,} images to train{tested}\n{kept}"
        f"        validated on {validation}\n"
        f"device  {device.label}\n"
        f"engine  {loop}\n{hint}{compiled}"
        f"run     {escape_controls(record.path)}{resumed}"
    )


def _describe_data(data: RawData) -> str:
    return escape_controls(f"{data.name} {data.version} from {data.source}")


def resume_command(folder: Path) -> str:
    """Return the command that resumes a run."""
    return f"  {program_name('lenet-tf')} train --resume {quote_word(folder)}"


def run_end_message(metrics: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the test result, if there is one, and the times.

    Args:
        metrics: The content of metrics.json.
        data: `RawData.identity()`.
    """
    images = (
        "digits of the embedded sample, NOT of MNIST"
        if data["name"] == "sample"
        else f"images of {escape_controls(data['name'])}"
    )
    if "test_accuracy" not in metrics:
        test = "not tested\nfinished"
    else:
        test = (
            f"test accuracy {metrics['test_accuracy']:.2%} on {data['images']['test']:,} {images}\n"
            f"test loss {metrics['test_loss']:.4f},"
        )
    return (
        f"{test} after epoch {metrics['epochs']};"
        f" best on validation: epoch {metrics['best_epoch']}"
        f" with {metrics['best_val_accuracy']:.2%}\n"
        f"{metrics['seconds_per_epoch']:.1f} s per epoch, {metrics['seconds']:.0f} s in total"
    )


def next_steps_message(run: Run, logs: Path) -> str:
    """Return commands for the next steps after a run.

    Args:
        run: The run.
        logs: The folder of all runs.
    """
    tensorboard, command = program_name("tensorboard"), program_name("lenet-tf")
    folder, page = quote_word(run.path), run.path / "report.html"
    # Shorter than the run's name.
    is_default = logs.resolve() == Path("logs").resolve()
    model = "latest" if is_default else folder
    steps = {
        "predict": f"{command} predict PICTURE.png --model {model}",
        "report": quote_word(page) if page.exists() else "",
        "curves": f"{tensorboard} --logdir {quote_word(logs)}",
        "evaluate": f"{command} evaluate {folder}",
        "repeat": f"{command} train --from-run {folder}" if is_repeatable(run.config) else "",
        "Python": f"lenet_tf.load_model({str(run.path / 'final.keras')!r})",
    }
    lines = [f"  {name:<8}  {text}" for name, text in steps.items() if text]
    return "\n".join(["", "Next:", *lines])
