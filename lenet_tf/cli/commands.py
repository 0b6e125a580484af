"""The commands beside `train`: parse, call, print."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.console import console
from lenet_tf.cli.group import JSON, ORIGINALS, default_data, find_spec, load_or_exit, main


@main.command(short_help="Test a run or a saved model.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.option(
    "--data",
    metavar="NAME",
    help="Another data set than the run's own; for a .keras file outside a run, its network's.",
)
@ORIGINALS
@click.option(
    "--report",
    is_flag=True,
    help="Scores of every class with 95% intervals, and the classes that are confused most.",
)
@JSON
def evaluate(
    run_or_model: Path, data: str | None, originals: str | None, report: bool, as_json: bool
) -> None:
    """Accuracy and loss of a run folder's last epoch, or of a .keras file, on a test set."""
    from lenet_tf.runs import run_record
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    if not run_or_model.exists():
        raise click.UsageError(f"there is no run or model {run_or_model}.")
    folder = run_or_model if run_or_model.is_dir() else run_or_model.parent
    config = (
        run_record.read_config(folder)
        if run_or_model.is_dir() or (folder / "config.json").exists()
        else None
    )
    start_tensorflow()
    from lenet_tf.data import image_order
    from lenet_tf.evaluation.evaluate import evaluate as measure
    from lenet_tf.evaluation.evaluate import predict_test
    from lenet_tf.models.saving import load_model

    model = load_model(run_or_model)
    own = run_record.data_name(folder, config) if config and data is None else model.spec.data
    raw = load_or_exit(own if data is None else data, originals)
    then = config["data"].get("sha256") if config and data is None else raw.sha256
    if image_order.is_in_tfds_order(raw, then):
        click.echo(image_order.describe_order(raw), err=True)
    elif raw.sha256 != then:
        click.echo(
            f"Warning: {raw.name} is not what it was when this run was trained on it (another SHA-256).",
            err=True,
        )
    result = {
        "model": str(run_or_model),
        "data": raw.name,
        "source": raw.source,
        "images": len(raw.x_test),
    } | measure(model, raw)
    scores = None
    if report:
        from lenet_tf.evaluation.scores import Scores

        scores = Scores.from_predictions(
            raw.y_test, predict_test(model, raw).argmax(axis=1), raw.num_classes
        )
    if as_json:
        click.echo(json.dumps(result | ({} if scores is None else {"scores": scores.to_dict()})))
        return
    click.echo(
        f"{raw.name} ({raw.source}), {len(raw.x_test):,} test images: accuracy {result['accuracy']:.2%}, loss {result['loss']:.4f}"
    )
    if scores is not None:
        from lenet_tf.evaluation.scores import build_score_tables

        for table in build_score_tables(scores):
            console().print(table)


@main.command(short_help="Make the report of a run, or compare several.")
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option("--data", metavar="NAME", help="Another data set than the run's own.")
@ORIGINALS
@click.option(
    "--comparison",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where several runs are compared. [default: comparison.html in their --logs folder, or here where they do not share one]",
)
def report(
    run: tuple[Path, ...], data: str | None, originals: str | None, comparison: Path | None
) -> None:
    """Make report.html in each RUN folder, one file with its figures, and the figures as PNG in report/ beside it.

    Of several runs also comparison.html, one file with all of them side by side.
    """
    from lenet_tf.evaluation import comparison as comparing
    from lenet_tf.runs import checkpoints, run_record

    # The same run under two names is one.
    old = [
        run_record.read_run(folder)
        for folder in {folder.resolve(): folder for folder in run}.values()
    ]
    for each in old:
        checkpoints.check_has_checkpoint(each.path)
    together = 2 <= len(old) <= comparing.MAX_RUNS
    if comparison is not None and not together:
        raise click.UsageError(
            f"--comparison takes 2 to {comparing.MAX_RUNS} different runs, and here {_are(len(old))}."
        )
    place = (comparison or comparing.default_page_path(old)) if together else None
    if place is not None:
        comparing.check_page_path(place)
    examined = list(_reported(old, data, originals))
    if place is not None:
        click.echo(f"wrote {comparing.write_comparison(examined, place)}")
    elif len(old) > 1:
        click.echo(
            f"No comparison was made: it takes up to {comparing.MAX_RUNS} runs, and here {_are(len(old))}.",
            err=True,
        )


def _are(count: int) -> str:
    return f"{'is' if count == 1 else 'are'} {count}"


def _reported(old: Sequence[Any], data: str | None, originals: str | None) -> Iterator[Any]:
    """Writes the report of each run and gives what it was made of; each data set is loaded once."""
    loaded: dict[str, Any] = {}
    for each in old:
        name = each.data_name if data is None else data
        if name not in loaded:
            loaded[name] = load_or_exit(name, originals)
        from lenet_tf.data import image_order
        from lenet_tf.evaluation import run_report

        if image_order.is_in_tfds_order(loaded[name], each.config["data"].get("sha256")):
            click.echo(
                f"{image_order.describe_order(loaded[name])} The report numbers images in the published order.",
                err=True,
            )
        examined = run_report.evaluate_run(each, loaded[name])
        click.echo(f"wrote {run_report.write_evaluated_run(examined)}")
        yield examined


@main.command(short_help="Show a network's architecture, counted.")
@click.argument("networks", nargs=-1, metavar="[VARIANT|FILE.toml]...")
@click.option(
    "--compare", is_flag=True, help="One line for each of several networks, side by side."
)
@JSON
def summary(networks: tuple[str, ...], compare: bool, as_json: bool) -> None:
    """The architecture table of VARIANT (lenet5): shapes, parameters, connections, multiply-adds, receptive fields."""
    from lenet_tf.evaluation import spec_tables, spec_text

    specs = [find_spec(name) for name in networks or ("lenet5",)]
    if as_json:
        facts = [spec_tables.summarize_spec(spec) for spec in specs]
        click.echo(json.dumps(facts[0] if len(facts) == 1 else facts, indent=2, ensure_ascii=False))
        return
    screen = console()
    if compare:
        screen.print(spec_tables.build_comparison_table(specs))
        return
    for spec in specs:
        heading, description = spec_text.describe_spec(spec, screen.width)
        click.echo(heading)
        screen.print(
            spec_tables.build_architecture_table(spec, wide=screen.width >= spec_tables.FULL_WIDTH)
        )
        click.echo(description)


@main.command(short_help="List the networks that have a name.")
def variants() -> None:
    """The networks that have a name."""
    from lenet_tf import specs
    from lenet_tf.evaluation import spec_tables

    console().print(spec_tables.build_variants_table(specs.VARIANTS.values()))
    click.echo("lenet-tf summary VARIANT shows the table and the source of one.")


@main.command(short_help="Draw a picture.")
@click.argument("what", type=click.Choice(["codes", "distortions"]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png")
@click.option(
    "--network",
    metavar="VARIANT|FILE.toml",
    default="lenet5-1998",
    show_default=True,
    help="Whose images are distorted.",
)
@click.option("--data", metavar="NAME", help="As for train.")
@ORIGINALS
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of the distortions.",
)
def draw(
    what: str, file: Path, network: str, data: str | None, originals: str | None, seed: int
) -> None:
    """Draw into FILE.png the output CODES of LeNet-5, or what the DISTORTIONS of --augment make of training images."""
    from lenet_tf.evaluation import distortion_figure, plotting, rbf_code_figure

    if what == "codes":
        figure = rbf_code_figure.plot_codes()
    else:
        spec = find_spec(network)
        figure = distortion_figure.plot_distortions(
            load_or_exit(default_data(spec, data), originals), spec, seed
        )
    plotting.save_figure(figure, file)
    click.echo(f"wrote {file}")


@main.command(short_help="Check this machine and its data.")
@ORIGINALS
def doctor(originals: str | None) -> None:
    """Versions, devices, which data can be reached, and the command that mends what is missing."""
    from lenet_tf.cli.doctor import run_checks

    findings = run_checks(originals)
    for finding in findings:
        click.echo(f"{'!' if finding.remedy else '✓'} {finding.what:<20} {finding.state}")
        if finding.remedy:
            click.echo(f"  {'':<20} → {finding.remedy}")
    if any(finding.needed for finding in findings):
        sys.exit(1)
