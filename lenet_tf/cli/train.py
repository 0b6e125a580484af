"""`lenet-tf train`: train a network, repeat a run, or resume an interrupted one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet_tf.cli.inputs import (
    choose_data_name,
    load_data,
    load_recorded_data,
    pop_read_options,
)
from lenet_tf.cli.options import add_options
from lenet_tf.cli.output import OutputError, echo, note
from lenet_tf.cli.train_options import TRAIN_OPTIONS
from lenet_tf.errors import RunError
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import escape_controls

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData
    from lenet_tf.runs.run_folder import Run
    from lenet_tf.runs.run_record import RunRecord
    from lenet_tf.training.config import TrainConfig


@click.command(short_help="Train a network and write a run folder.")
@click.argument("variant", required=False, metavar="[VARIANT|FILE.toml]")
@add_options(TRAIN_OPTIONS)
@click.pass_context
def train(
    ctx: click.Context,
    variant: str | None,
    spec_file: str | None,
    from_run: Path | None,
    interrupted: Path | None,
    data: str | None,
    originals: str | None,
    **options: Any,
) -> None:
    """Train a network (lenet5) and write a run folder with weights, history and TensorBoard logs.

    The network is a VARIANT, or your own FILE.toml, see examples/lenet5.toml.

    Without --data, the network's own data set is used: MNIST, or an embedded sample of it where
    MNIST is unavailable. Ctrl-C finishes the epoch, a second one stops at once; --resume continues
    from the last finished epoch.
    """
    ctx.with_resource(STATUS.show("starting", quiet=options["quiet"]))
    read_options = pop_read_options(options)
    if interrupted is not None:
        _check_resume_options(ctx)
        _resume(interrupted, data, originals, options)
        return
    if sum(name is not None for name in (variant, spec_file, from_run)) > 1:
        raise click.UsageError(
            "VARIANT, --spec and --from-run exclude each other: each names the network."
        )
    from lenet_tf.runs import run_folder
    from lenet_tf.runs.run_record import read_repeatable_run

    run_folder.check_writable(options["logs"])
    record = None if from_run is None else read_repeatable_run(from_run)
    config = _make_config(variant, spec_file, record, options)
    _prepare_runtime(config)
    if record is None:
        read_options["network"] = config.spec
        raw = load_data(choose_data_name(config.spec, data), originals, read_options)
    else:
        raw = _load_recorded(record, data, originals, read_options)
    with STATUS.show("starting Keras"):
        from lenet_tf.training import fit

    _print_result(fit.train(config, raw), raw, config)


def _make_config(
    variant: str | None, spec_file: str | None, record: RunRecord | None, options: dict[str, Any]
) -> TrainConfig:
    """Return the config of a network, or of a recorded run with changes."""
    from lenet_tf.specs.toml import load_spec
    from lenet_tf.training.config import TrainConfig
    from lenet_tf.training.tensorboard.options import Board

    settings = {name: value for name, value in options.items() if value is not None}
    board: dict[str, Any] = {
        name: settings.pop(name) for name in ("images_every", "histograms") if name in settings
    }
    network: Any = variant or "lenet5"
    if spec_file is not None:
        network = load_spec(spec_file)
    elif record is not None:
        network = record.spec
        # The columns describe that run, not a changed one.
        settings = record.settings | {"hparams": {}} | settings
        board = Board.from_config(record.config).to_dict() | board
    return TrainConfig.create(network, board=Board(**board), **settings)


def _prepare_runtime(config: TrainConfig) -> None:
    """Set TensorFlow's threads and refuse missing devices, before slow work starts."""
    from lenet_tf.runtime import device, threads

    if config.spec.recipe.optimizer.name == "sdlm":
        threads.use_one_thread()
    if config.device.startswith("gpu") or "," in config.device:
        device.choose_device(config.device)


def _load_recorded(
    record: RunRecord, data: str | None, originals: str | None, options: dict[str, Any]
) -> RawData:
    """Load the data set of a recorded run, in its order, or another one that the user names."""
    from lenet_tf.data import image_order

    raw = load_recorded_data(record, data, originals, options)
    if data is not None:
        return raw
    if image_order.is_in_tfds_order(raw, record.data_sha256):
        note(f"{image_order.describe_order(raw)} The run is repeated in its own order.")
        raw = image_order.to_tfds_order(raw)
    record.check_same_data(raw.sha256, f"To train on these data anyway, add --data {raw.name}.")
    return raw


def _check_resume_options(ctx: click.Context) -> None:
    """Refuse options that the run folder already decides."""
    allowed = ("interrupted", "data", "originals", "device", "report", "quiet")
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        if source is click.core.ParameterSource.COMMANDLINE and parameter.name not in allowed:
            raise click.UsageError(
                f"--resume takes this from the run's config.json: remove {parameter.opts[0]}."
            )


def _resume(folder: Path, data: str | None, originals: str | None, options: dict[str, Any]) -> None:
    from lenet_tf.runs.run_record import read_run
    from lenet_tf.runtime import threads
    from lenet_tf.training.config import TrainConfig

    record = read_run(folder)
    metrics = record.read_metrics()
    if metrics is not None:
        test = metrics.get("test_accuracy")
        result = "not tested," if test is None else f"test accuracy {test:.2%}"
        echo(
            f"{escape_controls(folder)} is already finished: {result}"
            f" after epoch {metrics['epochs']}"
        )
        return
    settings = {
        "report": options["report"],
        "quiet": options["quiet"],
        "logs": folder.parent.parent,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    config = TrainConfig.from_record(record, device=options["device"], **settings)
    threads.use_recorded(record.config["device"].get("threads"))
    _prepare_runtime(config)
    raw = load_recorded_data(record, data, originals, {}, is_same=True)
    with STATUS.show("starting Keras"):
        from lenet_tf.training.resume import resume_record

    device = None if config.device == "auto" else config.device
    run = resume_record(record, raw, device=device, report=config.report, quiet=config.quiet)
    _print_result(run, raw, config)


def _print_result(run: Run, raw: RawData, config: TrainConfig) -> None:
    from lenet_tf.training.messages import next_steps_message, run_end_message

    text = run_end_message(run.metrics, raw.identity())
    if not config.quiet:
        text = f"\n{text}\n{next_steps_message(run, config.logs)}"
    try:
        echo(text)
    except OutputError as error:
        # The result is in the run folder.
        if not error.is_broken_pipe:
            raise RunError(f"{error}. The run is complete: {run.path}") from error
