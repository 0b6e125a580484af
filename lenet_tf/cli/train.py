"""`lenet-tf train`: a new run, one run again, or an interrupted one taken up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.group import ORIGINALS, default_data, load_or_exit, main


def _validation(_: click.Context, __: click.Parameter, value: str | None) -> float | str | None:
    if value is None or value == "test":
        return value
    try:
        share = float(value)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise click.BadParameter(f"{value!r} is neither a share between 0 and 1 nor 'test'.")
    return share


def _names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    return () if value == "none" else tuple(name.strip() for name in value.split(","))


@main.command(short_help="Train a network and leave a run folder.")
@click.argument("variant", required=False)
@click.option(
    "--data",
    metavar="NAME",
    help="A TFDS image set (mnist, fashion_mnist, kmnist, emnist/letters, cifar10, …), 'sample', a .npz file, or a folder (./mine) of"
    " .npy files or of MNIST's four IDX files, plain or gzipped.",
)
@ORIGINALS
@click.option(
    "--recipe",
    metavar="NAME",
    help="Another recipe than the network's own, such as fast for lenet5-modern.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training images.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Images per training step.")
@click.option(
    "--validation",
    callback=_validation,
    metavar="SHARE|test",
    help="Share of the training images held back; 'test': the test images.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    help="For weights, shuffling and the split. [default: 0]",
)
@click.option(
    "--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, gpu or gpu:N."
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="The run goes to LOGS/fit/<variant>-<time>/.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_float16", "mixed_bfloat16"]),
    help="Of the arithmetic. [default: float32]",
)
@click.option(
    "--early-stopping",
    type=click.IntRange(min=1),
    metavar="EPOCHS",
    help="Stop after so many epochs without a better val_loss.",
)
@click.option(
    "--augment",
    "augmentation",
    metavar="NAME",
    help="Distort the training images: affine (as in 1998), elastic, affine+elastic or none. [default: the network's own]",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "graph", "keras"]),
    help="How steps are taken: many in one call of the graph, or Keras' own way. [default: auto]",
)
@click.option(
    "--deterministic",
    is_flag=True,
    default=None,
    help="Deterministic operations, for equal results on a GPU too, where they are slower; a CPU loses no time.",
)
@click.option(
    "--spec",
    "spec_file",
    metavar="FILE.toml",
    help="A network of your own instead of VARIANT, see examples/lenet5.toml.",
)
@click.option(
    "--from-run",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run again what DIR/config.json says; other options change it.",
)
@click.option(
    "--resume",
    "interrupted",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with an interrupted run, as its config.json says; --data, --originals, --device, --no-report and -q may go with it.",
)
@click.option(
    "--images-every",
    type=click.IntRange(min=0),
    metavar="EPOCHS",
    help="Images and PR curves in TensorBoard after every EPOCHS-th epoch, 0: never. [default: after the first and the last]",
)
@click.option(
    "--histograms",
    callback=_names,
    metavar="NAMES",
    help="Histograms in TensorBoard of weights, activations and gradients, such as weights,gradients, or none. [default: weights]",
)
@click.option(
    "--report/--no-report",
    default=None,
    help="Make report.html of the finished run. [default: make it]",
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
    quiet: bool,
    **options: Any,
) -> None:
    """Train VARIANT (lenet5) and leave a run folder with weights, history and TensorBoard logs.

    Without --data it is the data set that the network is made for: MNIST, or an embedded sample of it where MNIST cannot be had.
    Ctrl-C once lets the epoch finish, twice stops at once; --resume goes on from the last finished epoch.
    """
    from lenet_tf import specs
    from lenet_tf.runs import run_folder
    from lenet_tf.runtime import device, threads
    from lenet_tf.specs import toml
    from lenet_tf.training.messages import next_steps_message, run_end_message
    from lenet_tf.training.tensorboard.options import Board

    if interrupted is not None:
        _refuse_others(ctx, "interrupted", "data", "originals", "device", "report", "quiet")
        _resume(interrupted, data, originals, quiet, options["device"], options["report"])
        return
    if sum(given is not None for given in (variant, spec_file, from_run)) > 1:
        raise click.UsageError(
            "VARIANT, --spec and --from-run exclude each other: each names the network."
        )
    spec = (
        toml.load_spec(spec_file) if spec_file is not None else specs.get_spec(variant or "lenet5")
    )
    settings = {name: value for name, value in options.items() if value is not None}
    shown = {
        name: settings.pop(name) for name in ("images_every", "histograms") if name in settings
    }
    run_folder.check_writable(settings["logs"])
    if "augmentation" in settings:
        specs.get_augmentation(settings["augmentation"])
    if from_run is not None:
        again = run_folder.read_repeatable_run(from_run)
        spec, settings = again.spec, again.settings | settings
        shown = Board.from_config(again.config).to_dict() | shown
    if shown:
        settings["board"] = Board(**shown)
    if "recipe" in settings:
        specs.get_recipe(spec.name, settings["recipe"])
    if spec.recipe.optimizer.name == "sdlm":
        threads.use_one_thread()
    device.check_device(settings["device"])
    if from_run is not None:
        raw = load_or_exit(again.data_name() if data is None else data, originals)
        if data is None:
            raw = _in_its_order(raw, again.config["data"].get("sha256"))
            again.check_same_data(
                raw.sha256, f"Give --data {raw.name} to train on what is here all the same."
            )
    else:
        raw = load_or_exit(default_data(spec, data), originals)
    from lenet_tf.training.fit import fit

    run = fit(spec, raw, quiet=quiet, **settings)
    click.echo(("" if quiet else "\n") + run_end_message(run.metrics, raw.identity()))
    if not quiet:
        click.echo(next_steps_message(run.path, settings["logs"]))


def _in_its_order(raw: Any, sha256: Any) -> Any:
    """The data in the order in which a run was trained on them."""
    from lenet_tf.data import image_order

    if not image_order.is_in_tfds_order(raw, sha256):
        return raw
    click.echo(f"{image_order.describe_order(raw)} It is run again in its own order.", err=True)
    return image_order.to_tfds_order(raw)


def _refuse_others(ctx: click.Context, option: str, *allowed: str) -> None:
    """What a run folder already says cannot be said again."""
    given = [
        name
        for name in ctx.params
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    others = {parameter.name: parameter for parameter in ctx.command.params}
    for name in given:
        if name not in (option, *allowed):
            raise click.UsageError(
                f"--resume goes on as the run's config.json says: leave {others[name].opts[0]} away."
            )


def _resume(
    folder: Path,
    data: str | None,
    originals: str | None,
    quiet: bool,
    wanted: str,
    report: bool | None,
) -> None:
    from lenet_tf.runs import run_folder
    from lenet_tf.runtime import threads
    from lenet_tf.training.messages import next_steps_message, run_end_message

    old = run_folder.read_run(folder)
    if old.metrics is not None:
        accuracy, epochs = old.metrics["test_accuracy"], old.metrics["epochs"]
        click.echo(
            f"{folder} is finished, nothing is left to do: test accuracy {accuracy:.2%} after epoch {epochs}"
        )
        return
    if old.spec.recipe.optimizer.name == "sdlm":
        threads.use_one_thread()
    raw = load_or_exit(old.data_name() if data is None else data, originals)
    from lenet_tf.training.resume import resume

    given = {} if report is None else {"report": report}
    run = resume(folder, raw, device=None if wanted == "auto" else wanted, quiet=quiet, **given)
    click.echo(("" if quiet else "\n") + run_end_message(run.metrics, raw.identity()))
    if not quiet:
        click.echo(next_steps_message(run.path, folder.parent.parent))
