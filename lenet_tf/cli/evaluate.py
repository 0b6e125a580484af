"""`lenet-tf evaluate`: test a run or a saved model."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet_tf.cli.console import create_console, print_table
from lenet_tf.cli.inputs import load_data, load_recorded_data, pop_read_options
from lenet_tf.cli.options import JSON, ORIGINALS, add_read_options
from lenet_tf.cli.output import echo, note
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import escape_controls, format_json

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData
    from lenet_tf.models.lenet import LeNet
    from lenet_tf.runs.run_record import RunRecord


@click.command(short_help="Test a run, a saved model or a preset.")
@click.argument("run_or_model", type=click.Path(path_type=Path))
@click.option(
    "--data",
    metavar="NAME",
    help="Test on another data set. [default: the run's, or the network's for a .keras file]",
)
@ORIGINALS
@add_read_options
@click.option(
    "--report",
    is_flag=True,
    help="Also print scores per class with 95% intervals and the most confused classes.",
)
@JSON
def evaluate(
    run_or_model: Path,
    data: str | None,
    originals: str | None,
    report: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Print the test accuracy and loss of RUN_OR_MODEL.

    RUN_OR_MODEL is a run folder, which is tested after its last epoch, a .keras file, a folder of
    `lenet-tf export --format hub`, or the name of a preset (see lenet-tf presets).
    """
    from lenet_tf.pretrained.locate import is_pretrained, suggest_network
    from lenet_tf.runs import run_record
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    is_own = is_pretrained(run_or_model)
    if not is_own and not run_or_model.exists():
        raise click.UsageError(
            f"there is no run, model or preset {run_or_model}{suggest_network(run_or_model)}"
        )
    folder = run_or_model if run_or_model.is_dir() else run_or_model.parent
    is_in_run = run_or_model.is_dir() or os.path.lexists(folder / "config.json")
    record = run_record.read_run(folder) if is_in_run and not is_own else None
    start_tensorflow()
    with STATUS.show("starting Keras"):
        from lenet_tf.evaluation.evaluate import check_finite, predict_test
        from lenet_tf.evaluation.evaluate import evaluate as evaluate_model

    model = _load_model(run_or_model, record, is_own)
    read_options = pop_read_options(options)
    if data is not None or record is None:
        read_options["network"] = model.spec
        raw = load_data(model.spec.data if data is None else data, originals, read_options)
    else:
        raw = load_recorded_data(record, None, originals, read_options)
        _warn_if_changed(raw, record.data_sha256)
    metrics = evaluate_model(model, raw)
    check_finite(model, metrics["loss"])
    scores = None
    if report:
        from lenet_tf.evaluation.scores import Scores

        predictions = predict_test(model, raw).argmax(axis=1)
        scores = Scores.from_predictions(raw.y_test, predictions, raw.num_classes, raw.class_names)
    if as_json:
        _print_json(run_or_model, raw, metrics, scores)
    else:
        _print_text(raw, metrics, scores)


def _load_model(path: Path, record: RunRecord | None, is_pretrained: bool) -> LeNet:
    from lenet_tf.models.lenet import LeNet
    from lenet_tf.models.run_models import load_run_model
    from lenet_tf.models.saving import load_model
    from lenet_tf.runs import run_folder

    if is_pretrained:
        return LeNet.from_preset(path)
    if record is not None and path.name in (run_folder.FINAL, run_folder.BEST):
        return load_run_model(record, path.name)
    return load_model(path)


def _warn_if_changed(raw: RawData, sha256: Any) -> None:
    """Warn if a run was trained on other data than these."""
    from lenet_tf.data import image_order

    if image_order.is_in_tfds_order(raw, sha256):
        note(image_order.describe_order(raw))
    elif raw.sha256 != sha256:
        note(
            f"Warning: {escape_controls(raw.name)} has changed since this run was trained on it"
            " (another SHA-256)."
        )


def _print_json(model: Path, raw: RawData, metrics: dict[str, float], scores: Any) -> None:
    result: dict[str, Any] = {
        "model": str(model),
        "data": raw.name,
        "source": raw.source,
        "images": len(raw.x_test),
    }
    own = ("accuracy", "loss")
    result |= {name: metrics[name] for name in own}
    # Apart, so that a metric of any name replaces no field.
    others = {name: value for name, value in metrics.items() if name not in own}
    if others:
        result["metrics"] = others
    if scores is not None:
        result["scores"] = scores.to_dict()
    echo(format_json(result, sys.stdout.encoding))


def _print_text(raw: RawData, metrics: dict[str, float], scores: Any) -> None:
    data = escape_controls(f"{raw.name} ({raw.source})")
    echo(
        f"{data}, {len(raw.x_test):,} test images:"
        f" accuracy {metrics['accuracy']:.2%}, loss {metrics['loss']:.4f}"
    )
    if scores is not None:
        from lenet_tf.evaluation.scores import build_score_tables

        for table in build_score_tables(scores):
            print_table(create_console(), table)
