"""`lenet-tf predict`: a person's own pictures."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.group import JSON, main


@main.command(short_help="Say which digit a picture shows.")
@click.argument(
    "images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE..."
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="RUN|FILE.keras",
    help="Who is asked. [default: the newest finished run in LOGS]",
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="Where runs are looked for.",
)
@click.option("--show", is_flag=True, help="Show what the network is shown, 28×28 pixels, as text.")
@click.option(
    "--picture",
    "sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png",
    help="Draw each picture, before and after.",
)
@JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead.")
def predict(
    images: tuple[Path, ...],
    model: Path | None,
    logs: Path,
    show: bool,
    sheet: Path | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Say which digit each IMAGE shows: PNG, JPEG, WebP or BMP files, or folders of them.

    Any size, gray or in color, dark on light or light on dark: a picture is first prepared as MNIST's digits were. The exit code is 1
    where a file could not be read; the others are answered all the same.
    """
    from lenet_tf.inference.predict import find_newest_run, find_pictures, predict_pictures
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    files = find_pictures(images)
    chosen = find_newest_run(logs) if model is None else model
    if not chosen.exists():
        raise click.UsageError(f"there is no run or model {chosen}.")
    start_tensorflow()
    from lenet_tf.models.saving import load_model

    answers = predict_pictures(load_model(chosen), files)
    if as_json:
        click.echo(
            json.dumps([answer.to_dict() for answer in answers], indent=1, ensure_ascii=False)
        )
    elif as_csv:
        _csv(answers)
    else:
        _tell(answers, show, chosen if model is None else None)
    if sheet is not None:
        from lenet_tf.evaluation import plotting
        from lenet_tf.inference import prediction_figure

        plotting.save_figure(
            prediction_figure.plot_predictions(
                [answer for answer in answers if answer.error is None]
            ),
            sheet,
        )
        click.echo(f"wrote {sheet}", err=True)
    if any(answer.error is not None for answer in answers):
        sys.exit(1)


def _tell(answers: Sequence[Any], show: bool, chosen: Path | None) -> None:
    if chosen is not None:
        click.echo(f"{chosen} is asked; --model asks another.", err=True)
    for answer in answers:
        if answer.error is not None:
            click.echo(f"Error: {answer.error}", err=True)
            continue
        if show:
            from lenet_tf.training.messages import render_digit

            click.echo(render_digit(answer.digit))
        click.echo(
            f"{answer.file}: {answer.label} ({answer.probability:.1%}), else {answer.runner_up} ({answer.runner_up_probability:.1%})"
        )


def _csv(answers: Sequence[Any]) -> None:
    names = ["file", "class", "probability", "runner_up", "runner_up_probability", "error"]
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(answer.to_dict() for answer in answers)
