"""Several runs side by side: one page, made of runs that `lenet_tf.evaluation.run_report` has examined."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lenet_tf.data import image_order
from lenet_tf.errors import RunError
from lenet_tf.evaluation import comparison_figures, html
from lenet_tf.evaluation.settings_table import differing_settings, flatten_settings
from lenet_tf.evaluation.significance import PairedTest
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.runs import run_record

if TYPE_CHECKING:  # where a file goes is checked before TensorFlow begins
    from lenet_tf.evaluation.run_report import EvaluatedRun

    Compared = Mapping[str, EvaluatedRun]

PAGE, KIND = "comparison.html", "comparison"
MAX_RUNS = comparison_figures.MAX_RUNS
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def default_page_path(found: Sequence[run_record.RunRecord]) -> Path:
    """`comparison.html` in the folder of logs that holds the runs, or in the current folder where they do not lie in one."""
    parents = {run.path.resolve().parent for run in found}
    folder = next(iter(parents))
    if len(parents) > 1 or folder.name != "fit":
        return Path(PAGE)
    logs = folder.parent
    return (Path(os.path.relpath(logs)) if logs.is_relative_to(Path.cwd()) else logs) / PAGE


def check_page_path(file: Path) -> None:
    """Raises `RunError` unless a comparison can be written there: into a folder that exists, over no file but another comparison."""
    if not file.parent.is_dir():
        raise RunError(f"there is no folder {file.parent} to write {file.name} to")
    if not file.exists():
        return
    try:
        with open_regular_file(file) as stream:
            ours = html.mark(KIND).encode() in stream.read(1_000)
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise RunError(
            f"{file} is no comparison that lenet-tf wrote, and is left as it is: name another file with --comparison"
        )


def write_comparison(compared: Sequence[EvaluatedRun], file: Path) -> Path:
    """Writes the page and gives its path; raises `RunError` as `check_place` does, and where the file cannot be written.

    `compared`: at least two and at most `MOST` runs. Those on the same data are paired image by image.
    """
    check_page_path(file)
    text = _page(dict(zip(_LETTERS, compared, strict=False)))
    try:
        with atomic_write(file) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write {file}: {error.strerror or error}") from error
    return file


def _page(compared: Compared) -> str:
    """Of runs by their letters."""
    groups: dict[str, dict[str, EvaluatedRun]] = {}
    for letter, run in compared.items():
        groups.setdefault(run.data.sha256, {})[letter] = run
    parts = [
        ("The runs", _table(compared)),
        ("What differs", _differences(compared)),
        ("Learning", _learning(compared)),
    ]
    for group in groups.values():
        parts += _on_same_images(
            compared,
            group,
            "" if len(groups) == 1 else f" on {next(iter(group.values())).data.name}",
        )
    lead = "\n".join(
        f"<p>{sentence}</p>"
        for sentence in [*map(_best, groups.values()), *_remarks(compared, groups)]
    )
    return html.page(KIND, f"{len(compared)} runs side by side", lead, parts)


def _name(letter: str, run: EvaluatedRun) -> str:
    return f"{letter} {run.old.spec.name}"


def _accuracy(run: EvaluatedRun, within: str = "") -> str:
    score = run.scores.accuracy()
    return f"{run.test['accuracy']:.2%} ({within}{score.low:.2%}–{score.high:.2%})"


def _best(group: Compared) -> str:
    letter, run = max(group.items(), key=lambda item: item[1].test["accuracy"])
    best = f"Best of {len(group)} on" if len(group) > 1 else "On"
    name = escape(_name(letter, run))
    return f"{best} the {len(run.data.x_test):,} test images of {escape(run.data.name)}: <b>{name}</b>, {_accuracy(run, '95% interval ')}."


def _remarks(compared: Compared, groups: Mapping[str, Compared]) -> list[str]:
    """What a reader of the numbers must know."""
    found = []
    if len(groups) > 1:
        where = "; ".join(
            f"{', '.join(group)}: {escape(next(iter(group.values())).data.name)}"
            for group in groups.values()
        )
        found.append(
            f"Not all runs are on the same data ({where}): those on different data are shown, but not paired."
        )
    begun = [
        f"{letter}, after epoch {run.epochs} of {run.old.spec.recipe.epochs}"
        for letter, run in compared.items()
        if run.unfinished
    ]
    if begun:
        found.append(f"Unfinished: {'; '.join(begun)}.")
    others = [
        f"{letter} ({escape(str(run.old.config['data'].get('name')))})"
        for letter, run in compared.items()
        if run.data.sha256 != (then := run.old.config["data"].get("sha256"))
        and not image_order.is_in_tfds_order(run.data, then)
    ]
    if others:
        found.append(
            f"Trained on other data, of another SHA-256, than they are tested on here: {', '.join(others)}."
        )
    return found


def _table(compared: Compared) -> str:
    names = [
        "run",
        "parameters",
        "data",
        "seed",
        "epochs",
        "test accuracy (95% interval)",
        "test loss",
        "s per epoch",
    ]
    rows = [
        [
            _name(letter, run),
            run.old.spec.parameters,
            run.data.name,
            run.old.config["seed"],
            f"{run.epochs} of {run.old.spec.recipe.epochs}{', unfinished' if run.unfinished else ''}",
            _accuracy(run),
            f"{run.test['loss']:.4f}",
            f"{np.mean(run.history['seconds']):.1f}",
        ]
        for letter, run in compared.items()
    ]
    where = [
        [letter, run.old.path, run.old.config.get("started", "?"), _machine(run)]
        for letter, run in compared.items()
    ]
    return f"{html.table(names, rows)}\n{html.table(['run', 'folder', 'begun', 'machine'], where)}"


def _machine(run: EvaluatedRun) -> str:
    """The device, and what config.json says of the machine, which it did not always."""
    found, label = run.old.config.get("machine"), run.old.config["device"].get("label", "?")
    return f"{label}; {found.get('processor', '?')}" if isinstance(found, dict) else str(label)


def _differences(compared: Compared) -> str:
    """A line for each setting that is not the same in all runs, and in a sentence those that are."""
    layers = {tuple(facts.row.name for facts in run.old.spec.layers) for run in compared.values()}
    unlike, alike = differing_settings(
        [
            flatten_settings(run.old.spec, run.old.config, len(layers) == 1)
            for run in compared.values()
        ]
    )
    if not unlike:
        return "<p>Nothing but what the table above says.</p>"
    # One column for runs that were made alike, such as those of several seeds.
    columns: dict[tuple[str, ...], list[str]] = {}
    for letter, values in zip(
        compared, zip(*(row[1:] for row in unlike), strict=True), strict=True
    ):
        columns.setdefault(values, []).append(letter)
    lines = zip([row[0] for row in unlike], *columns, strict=True)
    told = html.table(
        ["", *map(", ".join, columns.values())],
        [[cell if len(cell) < 60 else f"{cell[:59]}…" for cell in line] for line in lines],
    )
    shared = [
        f"{name} {value}" for name, value in alike.items() if not name.startswith("version of ")
    ]
    versions = [
        name.removeprefix("version of ") for name in alike if name.startswith("version of ")
    ]
    shared += [f"versions of {', '.join(versions)}"] if versions else []
    return f'{told}\n<p class="quiet">The same in all: {escape(", ".join(shared))}.</p>'


def _learning(compared: Compared) -> str:
    figure = comparison_figures.plot_validation_curves(
        {_name(letter, run): run.history for letter, run in compared.items()}
    )
    text = [html.to_svg(figure, "Validation accuracy and loss by epoch")]
    recipes = [run.old.spec.recipe for run in compared.values()]
    if len({recipe.validation for recipe in recipes}) > 1:
        text.append(
            '<p class="quiet">They are validated on different images, see above: what was tested on the same images follows.</p>'
        )
    if len({(recipe.loss, recipe.label_smoothing) for recipe in recipes}) > 1:
        text.append(
            '<p class="quiet">Their losses are of different kinds, and are not to be compared.</p>'
        )
    return "\n".join(text)


def _on_same_images(compared: Compared, group: Compared, where: str) -> list[tuple[str, str]]:
    """The parts of runs that were tested on the same images."""
    found = {
        letter: [run.scores.recall(label) for label in range(run.data.num_classes)]
        for letter, run in group.items()
    }
    values = {
        _name(letter, group[letter]): np.array([[*vars(score).values()] for score in scores])
        for letter, scores in found.items()
    }
    numbers = [list(compared).index(letter) for letter in group]
    rows = [
        [label, *(_share(scores[label].value) for scores in found.values())]
        for label in range(len(next(iter(found.values()))))
    ]
    figure = html.to_svg(
        comparison_figures.plot_recalls(values, numbers), f"Recall of each class{where}"
    )
    parts = [(f"Recall of each class{where}", f"{figure}\n{html.table(['class', *group], rows)}")]
    if len(group) > 1:
        parts += [(f"Pair by pair{where}", _pairs(group)), _missed_by_all(group, where)]
    return parts


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _pairs(group: Compared) -> str:
    right = {letter: run.answers == run.data.y_test for letter, run in group.items()}
    rows = []
    for pair in itertools.combinations(group, 2):
        found = PairedTest.from_correct(*(right[letter] for letter in pair))
        low, high = (f"{100 * bound:+.2f}" for bound in found.interval)
        interval = f" ({low} to {high})" if found.first + found.second else ""
        difference = f"{100 * found.difference:+.2f}{interval}"
        told = [
            found.both,
            found.first,
            found.second,
            found.neither,
            difference,
            "< 0.0001" if found.p < 0.0001 else f"{found.p:.2g}",
            found.better(pair),
        ]
        rows.append([f"{pair[0]}, {pair[1]}", *told])
    names = [
        "pair",
        "both right",
        "only the first",
        "only the second",
        "neither",
        "accuracy, points (95% interval)",
        "p",
        "more accurate",
    ]
    said = (
        "<p>The first less the second, image by image: McNemar's exact test, and the exact interval of the difference. A run is called more"
        " accurate where p &lt; 0.05, which one in 20 pairs of equally good ones also is by chance. That is about these trained networks on"
        " these images; another seed gives other networks.</p>"
    )
    return f"{said}\n{html.table(names, rows)}"


def _missed_by_all(group: Compared, where: str) -> tuple[str, str]:
    data = next(iter(group.values())).data
    sure = np.mean([run.chances.max(axis=1) for run in group.values()], axis=0)
    figure, count = comparison_figures.plot_shared_mistakes(
        data.x_test, data.y_test, {letter: run.answers for letter, run in group.items()}, sure
    )
    heading = f"Images that all get wrong{where}"
    most = comparison_figures.MAX_IMAGES
    which = f"; here are the {most} that the runs are surest of" if count > most else ""
    said = f"<p>{count:,} of {len(data.x_test):,}{which}. Above each its class and number, then what each run takes it for.</p>"
    return (
        heading,
        f"{said}\n{html.to_svg(figure, heading)}"
        if count
        else f"<p>None of {len(data.x_test):,}.</p>",
    )
