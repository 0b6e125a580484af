"""The page that compares runs: results, settings, learning curves and pairwise tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import numpy as np

from lenet_tf.data import image_order
from lenet_tf.evaluation import comparison_figures
from lenet_tf.evaluation.html_pages import PageTable, render_page, to_svgs
from lenet_tf.evaluation.page_images import build_gallery
from lenet_tf.evaluation.run_report import EvaluatedRun
from lenet_tf.evaluation.settings_table import compare_settings, flatten_settings
from lenet_tf.evaluation.significance import PairedTest
from lenet_tf.runs.run_record import RunRecord

_KIND = "comparison"
_MAX_CELL = 60
_VERSION = "version of "


def render_comparison(compared: Sequence[EvaluatedRun]) -> str:
    """Render the page.

    Args:
        compared: The runs. The page calls them A, B and so on.

    Returns:
        The page's HTML.
    """
    runs = dict(zip(ascii_uppercase, compared, strict=False))
    groups: dict[str, dict[str, EvaluatedRun]] = {}
    for letter, run in runs.items():
        groups.setdefault(run.data.sha256, {})[letter] = run
    different, same = tabulate_settings({letter: run.record for letter, run in runs.items()})
    histories = {_name(letter, run): run.history for letter, run in runs.items()}
    curves = comparison_figures.plot_validation_curves(histories)
    recipes = [run.record.recipe for run in runs.values()]
    return render_page(
        _KIND,
        title=f"Comparison of {len(runs)} runs",
        groups=[_build_group(group, [*runs], len(groups) > 1) for group in groups.values()],
        notes=_list_notes(runs, groups.values()),
        results=_tabulate_results(runs),
        origins=_tabulate_origins(runs),
        different_settings=different,
        same_settings=same,
        learning_curves=to_svgs(curves, "By epoch"),
        validation_differs=len({each["validation"] for each in recipes}) > 1,
        loss_differs=len({(each["loss"], each["label_smoothing"]) for each in recipes}) > 1,
    )


def tabulate_settings(records: Mapping[str, RunRecord]) -> tuple[PageTable | None, str]:
    """Tabulate the settings that differ between runs.

    Args:
        records: Letter → run.

    Returns:
        A table with a row for each setting that differs, or None, and a text of the settings that
        are the same. Runs with the same settings share a column.
    """
    layers = {tuple(facts.row.name for facts in run.spec.layers) for run in records.values()}
    settings = [
        flatten_settings(run.spec, run.config, layer_fields=len(layers) == 1)
        for run in records.values()
    ]
    different, same = compare_settings(settings)
    text = _join_settings(same)
    if not different:
        return None, text
    columns: dict[tuple[str, ...], list[str]] = {}
    values = zip(*(row[1:] for row in different), strict=True)
    for letter, column in zip(records, values, strict=True):
        columns.setdefault(column, []).append(letter)
    names = [row[0] for row in different]
    rows = [[_shorten(cell) for cell in row] for row in zip(names, *columns, strict=True)]
    return PageTable(["", *map(", ".join, columns.values())], rows), text


def _name(letter: str, run: EvaluatedRun) -> str:
    return f"{letter} {run.record.spec.name}"


def _shorten(text: str) -> str:
    return text if len(text) < _MAX_CELL else f"{text[: _MAX_CELL - 1]}…"


def _join_settings(same: Mapping[str, str]) -> str:
    texts = [f"{name} {value}" for name, value in same.items() if not name.startswith(_VERSION)]
    packages = [name.removeprefix(_VERSION) for name in same if name.startswith(_VERSION)]
    if packages:
        texts.append(f"versions of {', '.join(packages)}")
    return ", ".join(texts)


def _list_notes(
    runs: Mapping[str, EvaluatedRun], groups: Iterable[Mapping[str, EvaluatedRun]]
) -> list[str]:
    """List what limits the comparison."""
    notes = []
    sets = [f"{', '.join(group)}: {next(iter(group.values())).data.name}" for group in groups]
    if len(sets) > 1:
        notes.append(
            f"The runs are tested on different data ({'; '.join(sets)}). Only runs on the same"
            " data are compared in pairs."
        )
    unfinished = [
        f"{letter}, after epoch {run.epochs} of {run.record.spec.recipe.epochs}"
        for letter, run in runs.items()
        if not run.is_finished
    ]
    if unfinished:
        notes.append(f"Unfinished: {'; '.join(unfinished)}.")
    foreign = [
        f"{letter} ({run.record.config['data'].get('name')})"
        for letter, run in runs.items()
        if _has_other_training_data(run)
    ]
    if foreign:
        notes.append(
            f"Trained on other data (another SHA-256) than tested on here: {', '.join(foreign)}."
        )
    return notes


def _has_other_training_data(run: EvaluatedRun) -> bool:
    sha256 = run.record.config["data"].get("sha256")
    return run.data.sha256 != sha256 and not image_order.is_in_tfds_order(run.data, sha256)


def _tabulate_results(runs: Mapping[str, EvaluatedRun]) -> PageTable:
    columns = ["run", "parameters", "data", "seed", "epochs"]
    columns += ["test accuracy (95% interval)", "test loss", "s per epoch"]
    rows = []
    for letter, run in runs.items():
        unfinished = "" if run.is_finished else ", unfinished"
        rows.append(
            [
                _name(letter, run),
                run.record.spec.parameters,
                run.data.name,
                run.record.config["seed"],
                f"{run.epochs} of {run.record.spec.recipe.epochs}{unfinished}",
                str(run.scores.accuracy()),
                f"{run.test['loss']:.4f}",
                f"{np.mean(run.history['seconds']):.1f}",
            ]
        )
    return PageTable(columns, rows)


def _tabulate_origins(runs: Mapping[str, EvaluatedRun]) -> PageTable:
    rows = []
    for letter, run in runs.items():
        config = run.record.config
        hardware = str(config["device"].get("label", "?"))
        # Early runs do not describe their machine.
        machine = config.get("machine")
        if isinstance(machine, dict):
            hardware += f"; {machine.get('processor', '?')}"
        rows.append([letter, run.record.path, config.get("started", "?"), hardware])
    return PageTable(["run", "folder", "started", "machine"], rows)


def _build_group(
    group: Mapping[str, EvaluatedRun], letters: Sequence[str], name_data: bool
) -> dict[str, Any]:
    """Build what the page shows of runs that are tested on the same images."""
    data = next(iter(group.values())).data
    suffix = f" on {data.name}" if name_data else ""
    recalls = {
        letter: [run.scores.recall(label) for label in range(data.num_classes)]
        for letter, run in group.items()
    }
    recall_arrays = {
        _name(letter, group[letter]): np.array([[each.value, each.low, each.high] for each in row])
        for letter, row in recalls.items()
    }
    numbers = [letters.index(letter) for letter in group]
    figure = comparison_figures.plot_recalls(recall_arrays, numbers, data.class_names)
    names = data.class_names or range(data.num_classes)
    rows = [
        [names[label], *(_format_share(row[label].value) for row in recalls.values())]
        for label in range(data.num_classes)
    ]
    built = {
        "suffix": suffix,
        "recall_figure": to_svgs(figure, f"Recall by class{suffix}"),
        "recalls": PageTable(["class", *group], rows),
        "pairs": _tabulate_pairs(group) if len(group) > 1 else None,
    }
    mistakes = _build_mistakes(group) if len(group) > 1 else {}
    return _summarize_group(group) | built | mistakes


def _summarize_group(group: Mapping[str, EvaluatedRun]) -> dict[str, str]:
    letter, best = max(group.items(), key=lambda item: item[1].test["accuracy"])
    accuracy = best.scores.accuracy()
    prefix = f"Best of {len(group)} on" if len(group) > 1 else "On"
    return {
        "summary": f"{prefix} the {len(best.data.x_test):,} test images of {best.data.name}:",
        "best_run": _name(letter, best),
        "best_accuracy": f"{accuracy.value:.2%}"
        f" (95% interval {accuracy.low:.2%}–{accuracy.high:.2%})",
    }


def _format_share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _tabulate_pairs(group: Mapping[str, EvaluatedRun]) -> PageTable:
    columns = ["pair", "both correct", "only the first", "only the second", "neither"]
    columns += ["difference, points (95% interval)", "p", "more accurate"]
    correct = {letter: run.predictions == run.data.y_test for letter, run in group.items()}
    rows = []
    for pair in itertools.combinations(group, 2):
        test = PairedTest.from_correct(correct[pair[0]], correct[pair[1]])
        difference = f"{100 * test.difference:+.2f}"
        if test.discordant:
            low, high = test.interval
            difference += f" ({100 * low:+.2f} to {100 * high:+.2f})"
        p_value = "< 0.0001" if test.p_value < 0.0001 else f"{test.p_value:.2g}"
        counts = [test.both, test.only_first, test.only_second, test.neither]
        better = test.more_accurate(pair)
        rows.append([f"{pair[0]}, {pair[1]}", *counts, difference, p_value, better])
    return PageTable(columns, rows)


def _build_mistakes(group: Mapping[str, EvaluatedRun]) -> dict[str, Any]:
    data = next(iter(group.values())).data
    predictions = {letter: run.predictions for letter, run in group.items()}
    confidence = np.mean([run.confidence for run in group.values()], axis=0)
    names = data.class_names
    shared = comparison_figures.find_shared_mistakes(data.y_test, predictions, confidence, names)
    text = f"{shared.total:,} of {len(data.x_test):,} images."
    if shared.total > comparison_figures.MAX_IMAGES:
        text += f" Shown are the {comparison_figures.MAX_IMAGES} with the highest mean confidence."
    if shared.total:
        text += " Below each image: its class, its number and each run's prediction."
    images = [data.x_test[index] for index in shared.indices]
    gallery = build_gallery(images, shared.titles, data.has_photographs)
    return {"mistakes_text": text, "mistakes": gallery}
