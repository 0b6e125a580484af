"""The `lenet-tf` command: parse, call, print. Click parses: long kept by the Pallets project, and light to import."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from lenet_tf import __version__
from lenet_tf.console import Commands, console, notice

ORIGINALS = click.option("--originals", metavar="FOLDER", help="Published data files, as FOLDER/<data set>/*.gz. [env: LENET_TF_ORIGINALS]")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="lenet-tf")
def main() -> None:
    """LeNet-5 for Keras 3 and TensorFlow, from the tutorial's network to the paper's.

    \b
    lenet-tf train                 train the tutorial's LeNet-5 on MNIST
    lenet-tf summary lenet5        its architecture, counted
    tensorboard --logdir logs      watch and compare the runs
    """
    # TensorFlow's own logging, unless the user has set it: what matters reaches Python as an exception.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TFDS warns of every cache folder that is not there yet.
    logging.getLogger("absl").setLevel(logging.ERROR)


def _load(name: str | None, originals: str | None) -> Any:
    from lenet_tf import sources

    data = sources.load_data(name, originals, notify=notice)
    from lenet_tf import device

    device.start_tensorflow()
    return data


def _data_of(spec: Any, named: str | None) -> str | None:
    """What `load_data` is asked for: the data set named, or the network's own; None lets the sample stand in for MNIST."""
    from lenet_tf import sources

    own = None if spec.data == sources.DEFAULT_DATA else spec.data
    return own if named is None else named


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


@main.command(short_help="Train a network and leave a run folder.")
@click.argument("variant", required=False)
@click.option(
    "--data",
    metavar="NAME",
    help="A TFDS image set (mnist, fashion_mnist, kmnist, emnist/letters, cifar10, …), 'sample', a .npz file, or a folder of .npy files.",
)
@ORIGINALS
@click.option("--recipe", metavar="NAME", help="Another recipe than the network's own, such as fast for lenet5-modern.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training images.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Images per training step.")
@click.option(
    "--validation", callback=_validation, metavar="SHARE|test", help="Share of the training images held back; 'test': the test images."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="For weights, shuffling and the split. [default: 0]")
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, gpu or gpu:N.")
@click.option(
    "--logs", type=click.Path(path_type=Path), default=Path("logs"), show_default=True, help="The run goes to LOGS/fit/<variant>-<time>/."
)
@click.option(
    "--precision", type=click.Choice(["float32", "mixed_float16", "mixed_bfloat16"]), help="Of the arithmetic. [default: float32]"
)
@click.option("--early-stopping", type=click.IntRange(min=1), metavar="EPOCHS", help="Stop after so many epochs without a better val_loss.")
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
@click.option("--deterministic", is_flag=True, default=None, help="Deterministic operations, for equal results on a GPU too; slower.")
@click.option("--spec", "spec_file", metavar="FILE.toml", help="A network of your own instead of VARIANT, see examples/lenet5.toml.")
@click.option(
    "--from-run", type=click.Path(path_type=Path), metavar="DIR", help="Run again what DIR/config.json says; other options change it."
)
@click.option(
    "--resume", "interrupted", type=click.Path(path_type=Path), metavar="DIR", help="Go on with an interrupted run; with no other options."
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
    from lenet_tf import device, runs, spec_files, specs
    from lenet_tf.report.lines import finished_run, next_steps

    if interrupted is not None:
        _refuse_others(ctx, "interrupted", "data", "originals", "device", "quiet")
        _resume(interrupted, data, originals, quiet, options["device"])
        return
    if sum(given is not None for given in (variant, spec_file, from_run)) > 1:
        raise click.UsageError("VARIANT, --spec and --from-run exclude each other: each names the network.")
    spec = spec_files.load_spec(spec_file) if spec_file is not None else specs.get_spec(variant or "lenet5")
    settings = {name: value for name, value in options.items() if value is not None}
    runs.check_writable(settings["logs"])
    if "augmentation" in settings:
        specs.get_augmentation(settings["augmentation"])
    if from_run is not None:
        again = runs.rerun(from_run)
        spec, settings = again.spec, again.settings | settings
    if "recipe" in settings:
        specs.get_recipe(spec.name, settings["recipe"])
    if spec.recipe.optimizer.name == "sdlm":
        device.use_one_thread()
    device.check(settings["device"])
    if from_run is not None:
        raw = _load(again.data_name() if data is None else data, originals)
        if data is None:
            again.check_same_data(raw.sha256, f"Give --data {raw.name} to train on what is here all the same.")
    else:
        raw = _load(_data_of(spec, data), originals)
    from lenet_tf.training import fit

    run = fit(spec, raw, quiet=quiet, **settings)
    click.echo(("" if quiet else "\n") + finished_run(run.metrics, raw.identity()))
    if not quiet:
        click.echo(next_steps(run.path, settings["logs"]))


def _refuse_others(ctx: click.Context, option: str, *allowed: str) -> None:
    """What a run folder already says cannot be said again."""
    given = [name for name in ctx.params if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
    others = {parameter.name: parameter for parameter in ctx.command.params}
    for name in given:
        if name not in (option, *allowed):
            raise click.UsageError(f"--resume goes on as the run's config.json says: leave {others[name].opts[0]} away.")


def _resume(folder: Path, data: str | None, originals: str | None, quiet: bool, wanted: str) -> None:
    from lenet_tf import device, runs
    from lenet_tf.report.lines import finished_run, next_steps

    old = runs.described(folder)
    if old.metrics is not None:
        click.echo(f"{folder} is finished; nothing is left to do.\n{finished_run(old.metrics, old.config['data'])}")
        return
    if old.spec.recipe.optimizer.name == "sdlm":
        device.use_one_thread()
    raw = _load(old.data_name() if data is None else data, originals)
    from lenet_tf.training import resume

    run = resume(folder, raw, device=None if wanted == "auto" else wanted, quiet=quiet)
    click.echo(("" if quiet else "\n") + finished_run(run.metrics, raw.identity()))
    if not quiet:
        click.echo(next_steps(run.path, folder.parent.parent))


@main.command(short_help="Test a run or a saved model.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.option("--data", metavar="NAME", help="Another data set than the run's own; for a .keras file outside a run, its network's.")
@ORIGINALS
@JSON
def evaluate(run_or_model: Path, data: str | None, originals: str | None, as_json: bool) -> None:
    """Accuracy and loss of a run folder's last epoch, or of a .keras file, on a test set."""
    from lenet_tf import device, runs

    if not run_or_model.exists():
        raise click.UsageError(f"there is no run or model {run_or_model}.")
    folder = run_or_model if run_or_model.is_dir() else run_or_model.parent
    config = runs.read_config(folder) if run_or_model.is_dir() or (folder / "config.json").exists() else None
    device.start_tensorflow()
    from lenet_tf.evaluation import evaluate as measure
    from lenet_tf.model_files import load_model

    model = load_model(run_or_model)
    own = runs.data_name(folder, config) if config and data is None else model.spec.data
    raw = _load(own if data is None else data, originals)
    if config and data is None and raw.sha256 != config["data"].get("sha256"):
        click.echo(f"Warning: {raw.name} is not what it was when this run was trained on it (another SHA-256).", err=True)
    result = {"model": str(run_or_model), "data": raw.name, "source": raw.source, "images": len(raw.x_test)} | measure(model, raw)
    if as_json:
        click.echo(json.dumps(result))
    else:
        click.echo(
            f"{raw.name} ({raw.source}), {len(raw.x_test):,} test images: accuracy {result['accuracy']:.2%}, loss {result['loss']:.4f}"
        )


@main.command(short_help="Show a network's architecture, counted.")
@click.argument("networks", nargs=-1, metavar="[VARIANT|FILE.toml]...")
@click.option("--compare", is_flag=True, help="One line for each of several networks, side by side.")
@JSON
def summary(networks: tuple[str, ...], compare: bool, as_json: bool) -> None:
    """The architecture table of VARIANT (lenet5): shapes, parameters, connections, multiply-adds, receptive fields."""
    from lenet_tf import spec_files
    from lenet_tf.report import tables

    specs = [spec_files.find_spec(name) for name in networks or ("lenet5",)]
    if as_json:
        facts = [tables.spec_facts(spec) for spec in specs]
        click.echo(json.dumps(facts[0] if len(facts) == 1 else facts, indent=2, ensure_ascii=False))
        return
    screen = console()
    if compare:
        screen.print(tables.comparison_table(specs))
        return
    for spec in specs:
        heading, description = tables.spec_lines(spec, screen.width)
        click.echo(heading)
        screen.print(tables.architecture_table(spec, wide=screen.width >= tables.WIDE))
        click.echo(description)


@main.command(short_help="List the networks that have a name.")
def variants() -> None:
    """The networks that have a name."""
    from lenet_tf import specs
    from lenet_tf.report import tables

    console().print(tables.variants_table(specs.VARIANTS.values()))
    click.echo("lenet-tf summary VARIANT shows the table and the source of one.")


@main.command(short_help="Draw a picture.")
@click.argument("what", type=click.Choice(["codes", "distortions"]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png")
@click.option("--network", metavar="VARIANT|FILE.toml", default="lenet5-1998", show_default=True, help="Whose images are distorted.")
@click.option("--data", metavar="NAME", help="As for train.")
@ORIGINALS
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the distortions.")
def draw(what: str, file: Path, network: str, data: str | None, originals: str | None, seed: int) -> None:
    """Draw into FILE.png the output CODES of LeNet-5, or what the DISTORTIONS of --augment make of training images."""
    from lenet_tf import spec_files
    from lenet_tf.report import pictures

    if what == "codes":
        figure = pictures.codes_picture()
    else:
        spec = spec_files.find_spec(network)
        figure = pictures.distortions_picture(_load(_data_of(spec, data), originals), spec, seed)
    pictures.save(figure, file)
    click.echo(f"wrote {file}")


@main.command(short_help="Check this machine and its data.")
@ORIGINALS
def doctor(originals: str | None) -> None:
    """Versions, devices, which data can be reached, and the command that mends what is missing."""
    from lenet_tf.doctor import examine

    findings = examine(originals)
    for finding in findings:
        click.echo(f"{'!' if finding.remedy else '✓'} {finding.what:<20} {finding.state}")
        if finding.remedy:
            click.echo(f"  {'':<20} → {finding.remedy}")
    if any(finding.needed for finding in findings):
        sys.exit(1)
