"""`lenet-tf train`: trains a network, repeats a run, or resumes an interrupted one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.group import ORIGINALS, default_data, load_or_exit, main


def _parse_validation(
    _: click.Context, __: click.Parameter, value: str | None
) -> float | str | None:
    if value is None or value == "test":
        return value
    try:
        fraction = float(value)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction < 1:
        raise click.BadParameter(f"{value!r} is neither a fraction between 0 and 1 nor 'test'.")
    return fraction


def _parse_names(
    _: click.Context, __: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    if value is None:
        return None
    return () if value == "none" else tuple(name.strip() for name in value.split(","))


@main.command(short_help="Train a network and write a run folder.")
@click.argument("variant", required=False)
@click.option(
    "--data",
    metavar="NAME",
    help="A TFDS image set (mnist, fashion_mnist, kmnist, emnist/letters, cifar10, …), 'sample', a"
    " .npz file, or a folder (./mine) of .npy files or of MNIST's four IDX files, plain or"
    " gzipped.",
)
@ORIGINALS
@click.option(
    "--recipe",
    metavar="NAME",
    help="Another recipe than the network's own, such as fast for lenet5-modern.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Number of epochs.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Images per training step.")
@click.option(
    "--validation",
    callback=_parse_validation,
    metavar="FRACTION|test",
    help="Fraction of the training images to hold out; 'test' validates on the test images.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    help="Seed of weights, shuffling and the split. [default: 0]",
)
@click.option(
    "--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, gpu or gpu:N."
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="Folder of all runs. The run goes to LOGS/fit/<variant>-<time>/.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_float16", "mixed_bfloat16"]),
    help="Precision of the arithmetic. [default: float32]",
)
@click.option(
    "--early-stopping",
    type=click.IntRange(min=1),
    metavar="EPOCHS",
    help="Stop after EPOCHS epochs without a better validation loss.",
)
@click.option(
    "--augment",
    "augmentation",
    metavar="NAME",
    help="Distort the training images: affine (as in 1998), elastic, affine+elastic or none."
    " [default: the recipe's]",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "graph", "keras"]),
    help="Training loop: graph (faster) or keras (standard). [default: auto]",
)
@click.option(
    "--deterministic",
    is_flag=True,
    default=None,
    help="Use deterministic operations, for equal results on a GPU too. They are slower on a GPU"
    " and as fast on a CPU.",
)
@click.option(
    "--spec",
    "spec_file",
    metavar="FILE.toml",
    help="Your own network instead of VARIANT, see examples/lenet5.toml.",
)
@click.option(
    "--from-run",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Repeat the run in DIR. Other options change it.",
)
@click.option(
    "--resume",
    "interrupted",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Resume the interrupted run in DIR. Only --data, --originals, --device, --no-report and"
    " -q may be added.",
)
@click.option(
    "--images-every",
    type=click.IntRange(min=0),
    metavar="EPOCHS",
    help="Write images and PR curves to TensorBoard every EPOCHS epochs; 0 never."
    " [default: after the first and the last epoch]",
)
@click.option(
    "--histograms",
    callback=_parse_names,
    metavar="NAMES",
    help="Histograms in TensorBoard: weights, activations and gradients, such as"
    " weights,gradients, or none. [default: weights]",
)
@click.option(
    "--report/--no-report",
    default=None,
    help="Write report.html when the run finishes. [default: --report]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only the result.")
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
    """Train VARIANT (lenet5) and write a run folder with weights, history and TensorBoard logs.

    Without --data, the network's own data set is used: MNIST, or an embedded sample of it where
    MNIST is unavailable. Ctrl-C finishes the epoch, a second one stops at once; --resume continues
    from the last finished epoch.
    """
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
        raw = load_or_exit(default_data(config.spec, data), originals)
    else:
        raw = _load_recorded(record, data, originals)
    from lenet_tf.training import fit

    _print_result(fit.train(config, raw), raw, config)


def _make_config(
    variant: str | None, spec_file: str | None, record: Any, options: dict[str, Any]
) -> Any:
    """Returns the `TrainConfig` of a network, or of a recorded run with changes."""
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
        settings = record.settings | settings
        board = Board.from_config(record.config).to_dict() | board
    return TrainConfig.create(network, board=Board(**board), **settings)


def _prepare_runtime(config: Any) -> None:
    """Sets TensorFlow's threads and refuses a missing GPU, before slow work starts."""
    from lenet_tf.runtime import device, threads

    if config.spec.recipe.optimizer.name == "sdlm":
        threads.use_one_thread()
    if config.device.startswith("gpu"):
        device.choose_device(config.device)


def _load_recorded(record: Any, data: str | None, originals: str | None) -> Any:
    """Loads the data set of a recorded run, in its order, or another one that the user names."""
    from lenet_tf.data import image_order

    raw = load_or_exit(record.data_name if data is None else data, originals)
    if data is not None:
        return raw
    if image_order.is_in_tfds_order(raw, record.data_sha256):
        click.echo(
            f"{image_order.describe_order(raw)} The run is repeated in its own order.", err=True
        )
        raw = image_order.to_tfds_order(raw)
    record.check_same_data(raw.sha256, f"To train on these data anyway, add --data {raw.name}.")
    return raw


def _check_resume_options(ctx: click.Context) -> None:
    """Refuses options that the run folder already decides."""
    allowed = ("interrupted", "data", "originals", "device", "report", "quiet")
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        if source is click.core.ParameterSource.COMMANDLINE and parameter.name not in allowed:
            raise click.UsageError(
                f"--resume takes this from the run's config.json: remove {parameter.opts[0]}."
            )


def _resume(folder: Path, data: str | None, originals: str | None, options: dict[str, Any]) -> None:
    from lenet_tf.runs.run_record import read_run
    from lenet_tf.training.config import TrainConfig

    record = read_run(folder)
    metrics = record.read_metrics()
    if metrics is not None:
        click.echo(
            f"{folder} is already finished: test accuracy {metrics['test_accuracy']:.2%} after"
            f" epoch {metrics['epochs']}"
        )
        return
    settings = {
        "report": options["report"],
        "quiet": options["quiet"],
        "logs": folder.parent.parent,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    config = TrainConfig.from_record(record, device=options["device"], **settings)
    _prepare_runtime(config)
    raw = load_or_exit(record.data_name if data is None else data, originals)
    from lenet_tf.training.resume import resume

    device = None if config.device == "auto" else config.device
    run = resume(folder, raw, device=device, report=config.report, quiet=config.quiet)
    _print_result(run, raw, config)


def _print_result(run: Any, raw: Any, config: Any) -> None:
    from lenet_tf.training.messages import next_steps_message, run_end_message

    click.echo(("" if config.quiet else "\n") + run_end_message(run.metrics, raw.identity()))
    if not config.quiet:
        click.echo(next_steps_message(run.path, config.logs))
