"""`lenet-tf predict`: recognize digits or other classes in image files."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet_tf.cli.options import JSON
from lenet_tf.cli.output import echo, echo_raw, note
from lenet_tf.text import escape_cell, escape_controls, format_json

if TYPE_CHECKING:
    from lenet_tf.inference.prediction import Prediction

_MAX_SHOWN_COLUMNS = 80
# Chooses the run that finished last.
_LATEST = "latest"
# Further column for a network that knows what is no digit.
_CSV_IS_DIGIT = ("is_digit",)
_CSV_COLUMNS = ("file", "class", "probability", "runner_up", "runner_up_probability", "error")
# Further columns for a model whose classes have names.
_CSV_NAMES = ("class_name", "runner_up_name")


@click.command(short_help="Recognize digits or other classes in image files.")
@click.argument(
    "images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE..."
)
@click.option(
    "--model",
    metavar="PRESET|RUN|FILE.keras",
    help="Network to use: a preset (`lenet-tf presets`), a run, a file, or 'latest' for the latest"
    " finished run in LOGS. [default: the preset lenet5-modern-mnist]",
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="Folder to search for --model latest.",
)
@click.option(
    "--prepare",
    type=click.Choice(["digit", "picture"]),
    help="Prepare each image like MNIST's digits, or crop and resize it like the pictures of a"
    " folder. [default: picture for a network that was trained on pictures or colors]",
)
@click.option(
    "--digits", "show_digits", is_flag=True, help="Also print where each of several digits is."
)
@click.option(
    "--accept-all", is_flag=True, help="Answer with a digit even if the image shows none."
)
@click.option("--show", is_flag=True, help="Also print the prepared image as text.")
@click.option(
    "--picture",
    "figure_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png",
    help="Draw each image before and after preparation: PNG, JPEG, WebP, TIFF, SVG or PDF.",
)
@JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def predict(
    images: tuple[Path, ...],
    model: str | None,
    logs: Path,
    prepare: str | None,
    show_digits: bool,
    accept_all: bool,
    show: bool,
    figure_file: Path | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the class of each IMAGE: PNG, JPEG, WebP, BMP, GIF or TIFF files, or folders of them.

    A digit can have any size, be gray or in color, dark on light or light on dark. It is first
    prepared like MNIST's digits. For a network that was trained on a folder of pictures or on
    colors, an image is cropped to the middle and resized, as for training. The exit code is 1 if a
    file can't be read, or if nothing or something else than a digit is drawn in it; the other files
    are still classified. Several digits in one picture, such as a ZIP code, are read from left to
    right, row by row.
    """
    from lenet_tf.inference.classifier import open_classifier
    from lenet_tf.inference.picture_inputs import choose_picture_input
    from lenet_tf.inference.picture_search import find_pictures
    from lenet_tf.inference.predict import MAX_PICTURES, predict_pictures

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    files = find_pictures(images, lambda text: note(escape_controls(text)))
    network = _find_network(model, logs)
    if figure_file is not None:
        _check_figure_file(figure_file, files)
    keep_pictures = 0 if figure_file is None else MAX_PICTURES
    classifier = open_classifier(network)
    if accept_all:
        classifier = replace(classifier, rejects=False)
    wanted = choose_picture_input(classifier.spec, classifier.data, prepare)
    if model in (None, _LATEST):
        kind = "the preset " if model is None else ""
        note(f"Using {kind}{escape_controls(network)} (choose another with --model).")
    predictions = predict_pictures(classifier, files, keep_pictures, wanted)
    if as_json:
        values = [prediction.to_dict() for prediction in predictions]
        echo(format_json(values, sys.stdout.encoding, indent=1))
    elif as_csv:
        _print_csv(predictions)
    else:
        if wanted.size is not None and prepare is None:
            note(_describe_input(*wanted.size, wanted.color))
        _print_text(predictions, show, show_digits)
    if figure_file is not None:
        _draw(predictions, figure_file, as_digits=wanted.size is None)
    _exit_if_incomplete(predictions)


def _find_network(model: str | None, logs: Path) -> str | Path:
    """Return a preset's name, or the path of a run or model that exists."""
    from lenet_tf.errors import RunError
    from lenet_tf.inference.picture_search import find_newest_run
    from lenet_tf.io.paths import to_path
    from lenet_tf.pretrained.locate import suggest_network
    from lenet_tf.pretrained.presets import DEFAULT_PRESET, list_names

    if model is None:
        return DEFAULT_PRESET
    if model == _LATEST:
        return find_newest_run(logs)
    if model in list_names():
        return model
    path = to_path(model, RunError, "a preset, run or model")
    if not path.exists():
        raise click.UsageError(
            f"there is no preset, run or model {model}{suggest_network(model)}"
            " A run folder or a .keras file works too."
        )
    return path


def _exit_if_incomplete(predictions: Sequence[Prediction]) -> None:
    """Exit with code 1 if a picture has no prediction or shows no digit."""
    failed = sum(prediction.error is not None for prediction in predictions)
    if failed and len(predictions) > 1:
        note(f"{failed} of {len(predictions)} pictures have no prediction.")
    refused = sum(prediction.is_digit is False for prediction in predictions)
    if refused and len(predictions) > 1:
        note(f"{refused} of {len(predictions)} pictures show no digit (--accept-all: guess one).")
    if failed or refused:
        sys.exit(1)


def _print_text(predictions: Sequence[Prediction], show: bool, show_digits: bool) -> None:
    for prediction in predictions:
        if prediction.error is not None:
            note(f"Error: {escape_controls(prediction.error)}")
            continue
        if show:
            for single in prediction.digits or (prediction,):
                echo(_render_image(single.image))
        echo(f"{escape_controls(prediction.file)}: {escape_controls(prediction)}")
        for digit in prediction.digits if show_digits else ():
            place = "row {}, column {}, {}×{} pixels".format(*digit.box or ())
            echo(f"  {escape_controls(digit)} at {place}")


def _describe_input(height: int, width: int, color: bool) -> str:
    return (
        f"Each picture is cropped to the middle and resized to {width}×{height},"
        f" {'in color' if color else 'gray'}, as for training (--prepare digit: like MNIST's"
        " digits)."
    )


def _render_image(image: Any) -> str:
    """Render an image, uint8 (height, width[, 3]), as text with two rows of pixels per line."""
    shades = " ░▒▓█"
    gray = image if image.ndim == 2 else image.mean(axis=2)
    step = -(-gray.shape[1] // _MAX_SHOWN_COLUMNS)
    # A single row counts twice.
    gray = gray[::step, ::step].repeat(2 if len(gray) < 2 else 1, axis=0)
    rows = gray[: len(gray) // 2 * 2].reshape(len(gray) // 2, 2, -1).mean(axis=1)
    levels = len(shades) - 1
    return "\n".join("".join(shades[round(value / 255 * levels)] for value in row) for row in rows)


def _print_csv(predictions: Sequence[Prediction]) -> None:
    has_names = any(prediction.name is not None for prediction in predictions)
    is_checked = any(prediction.is_digit is not None for prediction in predictions)
    columns = _CSV_COLUMNS + (_CSV_IS_DIGIT if is_checked else ())
    columns += _CSV_NAMES if has_names else ()
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for prediction in predictions:
        cells = prediction.to_dict()
        if cells.pop("digits", None):
            cells["class"] = cells.pop("text")
        writer.writerow({name: escape_cell(value) for name, value in cells.items()})
    echo_raw(text.getvalue())


def _check_figure_file(file: Path, images: Sequence[Path]) -> None:
    from lenet_tf.evaluation import plotting

    # Fail now, not after the predictions are made.
    plotting.check_figure_path(file)
    if os.path.realpath(file) in map(os.path.realpath, images):
        raise click.UsageError(
            f"--picture would overwrite {escape_controls(file)}, which is one of the images."
        )


def _draw(predictions: Sequence[Prediction], file: Path, as_digits: bool) -> None:
    from lenet_tf.evaluation import plotting
    from lenet_tf.inference.prediction_figure import plot_predictions

    shown = [each for each in predictions if each.picture is not None]
    plotting.save_figure(plot_predictions(shown, as_digits), file)
    count = sum(each.error is None for each in predictions)
    part = f" with the first {len(shown)} of {count:,} pictures" if len(shown) < count else ""
    note(f"wrote {escape_controls(file)}{part}")
