"""The page of a sweep: sweep.html."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lenet_tf.evaluation.html_pages import PageTable, render_page, to_svgs
from lenet_tf.evaluation.page_files import write_page_text
from lenet_tf.sweep import figures
from lenet_tf.sweep.progress import (
    build_command,
    describe_setting,
    describe_test,
    format_difference,
    format_param,
    format_value,
)
from lenet_tf.sweep.space import OBJECTIVES, Space
from lenet_tf.sweep.summary import MIN_FOR_IMPORTANCE, Sweep, Trial, expect_maximum
from lenet_tf.text import count_noun

KIND = "sweep"
_MISSING = "–"


def write_sweep_page(sweep: Sweep, path: Path) -> None:
    """Write the page of a sweep.

    Args:
        sweep: The sweep, which may be unfinished.
        path: The page's path, which is checked.

    Raises:
        RunError: It cannot be written.
    """
    write_page_text(path, render_sweep(sweep))


def render_sweep(sweep: Sweep) -> str:
    """Render the page of a sweep."""
    has_results = bool(sweep.complete)
    names = [each.name for each in sweep.space.fields]
    return render_page(
        KIND,
        title=f"Sweep {sweep.name}",
        objective=OBJECTIVES[sweep.space.objective][0],
        summary=_summarize(sweep),
        worth=_describe_worth(sweep),
        settings=_tabulate_settings(sweep) if sweep.settings else None,
        tests=[f"{describe_test(each)}." for each in sweep.test],
        command=build_command(sweep) if has_results else "",
        progress=to_svgs(figures.plot_progress(sweep), "Trials") if has_results else [],
        importances=to_svgs(figures.plot_importances(sweep), "Importance of each field")
        if sweep.importances
        else [],
        importance_note=_describe_importance(sweep),
        slices=[
            svg
            for each in sweep.space.fields
            if has_results and any(each.name in trial.params for trial in sweep.trials)
            for svg in to_svgs(figures.plot_slice(sweep, each), f"Trials by {each.name}")
        ],
        trials=PageTable(
            [
                "trial",
                "state",
                OBJECTIVES[sweep.space.objective][0],
                "epochs",
                "seconds",
                *names,
                "note",
            ],
            [_list_trial(sweep.space, each, names) for each in sweep.trials],
        ),
        space=_tabulate_space(sweep.space),
        shared=_describe_shared(sweep),
    )


def count_states(sweep: Sweep) -> dict[str, int]:
    """Count the trials of each state."""
    states = ("complete", "pruned", "diverged", "invalid", "failed", "unfinished")
    counts = {state: sum(each.state == state for each in sweep.trials) for state in states}
    return {state: count for state, count in counts.items() if count}


def _summarize(sweep: Sweep) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in count_states(sweep).items())
    total = len(sweep.trials)
    planned = "" if total >= sweep.space.trials else f" of {sweep.space.trials} planned"
    return (
        f"{count_noun(total, 'trial')}{planned} of {sweep.space.network} on"
        f" {sweep.data.get('name', '?')}: {counts or 'none'}."
    )


def _describe_worth(sweep: Sweep) -> dict[str, str] | None:
    """Say what the chosen setting's value is worth after a choice among many."""
    best, space = sweep.best, sweep.space
    if best is None or best.value is None:
        return None
    count = len(sweep.complete)
    worth = {
        "trial": str(best.number),
        "value": format_value(space, best.value),
        "count": str(count),
        "fresh": "",
        "bias": "",
    }
    if sweep.settings:
        worth["fresh"] = describe_setting(space, sweep.settings[0])
    if count > 1 and not math.isnan(sweep.expected_bias):
        worth["bias"] = (
            f"With the seeds' standard deviation of {format_difference(space, sweep.seed_sd)}, the"
            f" best of {count} equally good settings would look better than it is by"
            f" {expect_maximum(count):.2f} standard deviations, which is"
            f" {format_difference(space, sweep.expected_bias)}, on average."
        )
    return worth


def _tabulate_settings(sweep: Sweep) -> PageTable:
    space, names = sweep.space, [each.name for each in sweep.space.fields]
    columns = ["trial", "in the search", "fresh seeds: mean ± sd", *names, "each seed"]
    rows = []
    for each in sweep.settings:
        assert each.trial.value is not None
        sd = "" if math.isnan(each.sd) else f" ± {format_difference(space, each.sd)}"
        values = [format_value(space, value) for _, value in sorted(each.values.items())]
        rows.append(
            [
                each.trial.number,
                format_value(space, each.trial.value),
                f"{format_value(space, each.mean)}{sd}",
                *_list_params(each.trial, names),
                _join_in_two_lines(values),
            ]
        )
    return PageTable(columns, rows)


def _join_in_two_lines(values: list[str]) -> str:
    """Join values with one place for a line break: a table makes its columns narrow."""
    half = (len(values) + 1) // 2
    lines = [values[:half], values[half:]]
    return ", ".join(",\N{NO-BREAK SPACE}".join(line) for line in lines if line)


def _list_trial(space: Space, trial: Trial, names: list[str]) -> list[Any]:
    value = _MISSING if trial.value is None else format_value(space, trial.value)
    seconds = _MISSING if trial.seconds is None else f"{trial.seconds:.0f}"
    params = _list_params(trial, names)
    # The other columns say all of a pruned trial.
    note = "" if trial.state == "pruned" else trial.problem
    return [trial.number, trial.state, value, trial.epochs, seconds, *params, note]


def _list_params(trial: Trial, names: list[str]) -> list[str]:
    return [
        format_param(trial.params[name]) if name in trial.params else _MISSING for name in names
    ]


def _tabulate_space(space: Space) -> PageTable:
    rows = []
    for each in space.fields:
        if each.choices:
            values = ", ".join(each.labels)
        else:
            values = f"{each.low:g} to {each.high:g}"
            values += f" in steps of {each.step:g}" if each.step else ""
            values += ", whole numbers" if each.is_integer and not each.step else ""
            values += ", logarithmic" if each.log else ""
        condition = ", ".join(f"{name} = {label}" for name, label in each.when)
        rows.append([each.name, values, condition or "always"])
    return PageTable(["field", "values", "when"], rows)


def _describe_shared(sweep: Sweep) -> str:
    space = sweep.space
    shared = {**space.settings, **space.changes, "validation": space.get_validation()}
    texts = [f"{name} {value}" for name, value in shared.items()]
    return f"{', '.join(texts)}; sampler {space.sampler}, pruner {space.pruner}, seed {space.seed}"


def _describe_importance(sweep: Sweep) -> str:
    if sweep.importances:
        return (
            f"Functional ANOVA over the {len(sweep.complete)} complete trials: a random forest's"
            " share of the differences that each field explains alone. It is rough for few trials"
            " and says nothing about values outside the ranges."
        )
    return (
        f"It is estimated from {MIN_FOR_IMPORTANCE} complete trials on; there are"
        f" {len(sweep.complete)}."
    )
