"""The parts of the pages that are made of the records: tables and sentences, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from lenet_tf.evaluation.significance import PairedTest
from lenet_tf.evaluation.spec_text import format_augmentation, format_recipe
from lenet_tf.reproduce.claims import COMPARISONS, Comparison
from lenet_tf.reproduce.plan import ROWS, TableRow
from lenet_tf.reproduce.predictions import Predictions
from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.statistics import format_mean_sd, holm_correction, paired_difference

HOW = (
    "Made by `lenet-tf reproduce` from the records in `lenet_tf/reproduce/records/`, one line a run, with the predictions for all test"
    " images beside them; `lenet-tf reproduce --check` fails where this page is not what they say. `lenet-tf reproduce ROW --seeds N`"
    " makes runs anew and compares them with their records. The test images are read"
    " once a run, after the last epoch, but for `lenet5` and `lenet5-divided-twice`, which validate on them because the tutorial does."
    " What was tuned was tuned on images held back from the training set, with two reservations. The search for other rates, for `lenet4`"
    " and for eq. 8, was begun because their test error had missed its target: the rows with half the rates are not blind to the test"
    " images, and rows with the whole rates stand beside them. And the recipes of `lenet5-modern` begin with settings of earlier"
    " trials, some of which had seen test images."
)
SAMPLED = (
    "± is over seeds, on the same 10,000 test images. These are a sample themselves, which adds √(p(1 − p)/10,000), about 0.1 points at an"
    " error of 1%, to each number, to the published ones as well, which as far as is known are of one run each. So a difference from a"
    " published number cannot be told from chance below about 0.3 points at an error of 1%, 0.4 at 2%, 0.5 at 3% and 0.9 at 11%. Targets"
    " stood before the recorded runs, though single trial runs of some rows were known by then: the published error, for `lenet5-1998` 0.15"
    " points more, and where nothing is published the project's own aim. Other work ran beside most runs: seconds do not measure cost."
)
# What the tutorial claims as its validation accuracy.
_CLAIM = 0.9871
# Row → its records.
Known = dict[str, list[Record]]


def errors_of(found: Sequence[Record]) -> list[float]:
    """Test errors in %."""
    return [100 * (1 - record["test"]["accuracy"]) for record in found]


def table(known: Known) -> str:
    lines = [
        "| row | what | published test error, % | ours, %: mean ± sd (least–most) | runs | target, % | s an epoch, machine shared |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        found = known[row.name]
        errors = errors_of(found)
        published = f"{row.published:g} ({row.by})" if row.published is not None else row.by or "–"
        target = _target(row, errors)
        paces = [record["seconds_per_epoch"] for record in found]
        seconds = f"{min(paces):.1f}–{max(paces):.1f}" if found else "–"
        runs = f"{len(found)}" if len(found) >= row.seeds else f"{len(found)} of {row.seeds}"
        lines.append(
            f"| `{row.name}` | {row.title} | {published} | {format_mean_sd(errors)} | {runs} | {target} | {seconds} |"
        )
        if row.best_epoch and found:
            best = [100 * (1 - max(record["epochs"]["val_accuracy"])) for record in found]
            lines.append(
                f"| | … its best epoch, picked on the test images as the tutorial does | {published} | {format_mean_sd(best)} | {runs} | – | – |"
            )
    return "\n".join(lines)


def _target(row: TableRow, errors: Sequence[float]) -> str:
    if row.target is None:
        return "–"
    so_far = " so far" if len(errors) < row.seeds else ""
    met = f"met{so_far}" if _meets(row, errors) else f"**missed{so_far}**"
    return f"≤ {row.target:.2f}" + (f", {met}" if errors else "")


def _meets(row: TableRow, errors: Sequence[float]) -> bool:
    """Errors are whole images of 10,000: a mean that is below the target by less than rounding has met it."""
    return not errors or round(statistics.mean(errors), 6) <= row.target


def claim(found: Sequence[Record]) -> str:
    """Where the tutorial's 98.71% lies."""
    if not found:
        return ""
    last = [record["test"]["accuracy"] for record in found]
    best = [max(record["epochs"]["val_accuracy"]) for record in found]
    return (
        f"The tutorial claims {_CLAIM:.2%}. After the last epoch {sum(a >= _CLAIM for a in last)} of {len(found)} seeds reach that"
        f" (at most {max(last):.2%}); the best of ten epochs, picked on the test images, does for {sum(a >= _CLAIM for a in best)}"
        f" (mean {statistics.mean(best):.2%}, {min(best):.2%}–{max(best):.2%})."
    )


def notes(known: Known) -> str:
    return "\n".join(f"- `{row.name}`: {row.note}." for row in ROWS if row.note and known[row.name])


def _pairs(known: Known, comparison: Comparison) -> list[tuple[float, float]]:
    """For each seed that both have: (the first's accuracy, the second's) in %."""

    def values(name: str) -> dict[int, float]:
        if comparison.shift:
            return {
                record["seed"]: 100 * record["test"]["shifted"][str(comparison.shift)]
                for record in known[name]
            }
        return {record["seed"]: 100 * record["test"]["accuracy"] for record in known[name]}

    better, worse = values(comparison.better), values(comparison.worse)
    return [(better[seed], worse[seed]) for seed in sorted(better.keys() & worse.keys())]


def comparisons(known: Known, predictions: Mapping[str, Predictions]) -> str:
    found = [
        (comparison, pairs)
        for comparison in COMPARISONS
        if len(pairs := _pairs(known, comparison)) >= 3
    ]
    if not found:
        return ""
    results = [paired_difference(pairs) for _, pairs in found]
    remain = [p < 0.05 for p in holm_correction([result.p for result in results])]
    told = [result.verdict != "cannot be told" for result in results]
    lines = [
        "What is claimed of these networks, tested on ours: the difference between two rows, seed by seed, since a seed decides the order"
        " of the images and which are held back. Student's 95% interval and p are over seeds, always on the same test images, not over"
        f" test images, and each for itself. Of the {len(results)} differences {sum(told)} differ from 0 by these, and {sum(remain)} with"
        " Holm's correction for their number. McNemar's exact test is over test images instead, for the two networks of each seed: how many"
        " images only the first and only the second gets right (mean over seeds), the median p, and how many seeds have p < 0.05.",
        "",
        "| claim | from | first | second | difference of test accuracy, points (95% interval) | seeds | so | McNemar: only one right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (comparison, pairs), result, certain, remains in zip(
        found, results, told, remain, strict=True
    ):
        but = ", but not with Holm's correction" if certain and not remains else ""
        lines.append(
            f"| {comparison.claim} | {comparison.source}"
            f" | `{comparison.better}` {result.first:.2f}% | `{comparison.worse}` {result.second:.2f}%"
            f" | {result.difference:+.2f} ({result.low:+.2f} to {result.high:+.2f}), p = {result.p:.2g} | {len(pairs)}"
            f" | {result.verdict}{but} | {_mcnemar(comparison, predictions)} |"
        )
    return "\n".join(lines)


def _mcnemar(comparison: Comparison, predictions: Mapping[str, Predictions]) -> str:
    """Image by image, for each seed that both rows have; predictions for shifted images are not kept."""
    first, second = predictions[comparison.better], predictions[comparison.worse]
    seeds = sorted(first.by_seed.keys() & second.by_seed.keys())
    if comparison.shift or not seeds:
        return "–"
    pairs = [PairedTest.from_correct(first.correct(seed), second.correct(seed)) for seed in seeds]
    alone = [
        statistics.mean(counts)
        for counts in ([pair.first for pair in pairs], [pair.second for pair in pairs])
    ]
    sure = sum(pair.p < 0.05 for pair in pairs)
    return f"{alone[0]:.0f}, {alone[1]:.0f}; p = {statistics.median(pair.p for pair in pairs):.2g} ({sure} of {len(seeds)} seeds)"


def shifted(known: Known) -> str:
    rows = [row for row in ROWS if row.shifted and known[row.name]]
    if not rows:
        return ""
    shifts = sorted({by for row in rows for by in known[row.name][0]["test"]["shifted"]}, key=int)
    lines = [
        "Test accuracy in % on digits shifted up, down, left and right by so many pixels, mean ± sd over seeds. Ink that leaves the frame"
        " is lost, with 1 to 4 pixels on 0.3, 3.0, 9.1 and 21.4% of the shifted images, and a part of the fall is that:",
        "",
        f"| row | 0 | {' | '.join(shifts)} |",
        "|---|---|" + "---|" * len(shifts),
    ]
    for row in rows:
        found = known[row.name]
        cells = [format_mean_sd([100 * record["test"]["accuracy"] for record in found], brief=True)]
        cells += [
            format_mean_sd(
                [
                    100 * record["test"]["shifted"][by]
                    for record in found
                    if by in record["test"]["shifted"]
                ],
                True,
            )
            for by in shifts
        ]
        lines.append(f"| `{row.name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def missed(known: Known, brief: bool = False) -> str:
    run = [row for row in ROWS if row.target is not None and known[row.name]]
    missed = [row for row in run if not _meets(row, errors_of(known[row.name]))]
    if brief:
        return (
            f"Targets missed: {', '.join(f'`{row.name}`' for row in missed)}, see [results/README.md](results/README.md)."
            if missed
            else ""
        )
    return "\n".join(
        f"- `{row.name}`: {_beside(statistics.mean(errors_of(known[row.name])), row.target)}%, target at most {row.target:.2f}%."
        f" {row.tried}".rstrip()
        for row in missed
    )


def _beside(value: float, other: float) -> str:
    """With as many decimals as show that it is another than the one it stands beside."""
    return f"{value:.3f}" if f"{value:.2f}" == f"{other:.2f}" else f"{value:.2f}"


def provenance(known: Known) -> str:
    """Machines, versions, commits and data of the records, with how many runs each has."""
    found = [record for row in ROWS for record in known[row.name]]
    if not found:
        return "Nothing has been run."

    def machine(record: Record) -> str:
        here, version = record["machine"], record["versions"]
        return (
            f"{here['processor']}, {here['cores']} cores, {', '.join(here['features'])}, {_onednn(record)}, {here['system']};"
            f" Python {version['python']},"
            f" TensorFlow {version['tensorflow']}, Keras {version['keras']}, NumPy {version['numpy']}"
        )

    def counted(values: Sequence[str]) -> list[str]:
        return [f"  - {value}: {values.count(value)} runs" for value in dict.fromkeys(values)]

    data = [
        f"{record['data']['name']} {record['data']['version']}, SHA-256 {record['data']['sha256'][:16]}…"
        for record in found
    ]
    hours = sum(record["seconds"] for record in found) / 3600
    lines = [
        f"- {len(found)} runs of {hours:.1f} hours in all, each pinned to one core of a machine that had other work at times; tuning is not"
        " counted.",
        "- Machines and versions:",
        *counted([machine(record) for record in found]),
    ]
    return "\n".join([*lines, "- Data:", *counted(data)])


def _onednn(record: Record) -> str:
    threads = record["threads"]
    cap = f" up to {threads['ONEDNN_MAX_CPU_ISA']}" if threads.get("ONEDNN_MAX_CPU_ISA") else ""
    return f"oneDNN on{cap}" if threads.get("TF_ENABLE_ONEDNN_OPTS") == "1" else "oneDNN off"


def recipes(known: Known) -> str:
    """What made each row's runs: the recipe in words, the share of the training images that trained, and the commits of its runs."""
    lines = ["| row | recipe | trained on | commits |", "|---|---|---|---|"]
    for row in ROWS:
        if found := known[row.name]:
            recipe = row.spec.recipe
            distorted = (
                f", distorted by {format_augmentation(recipe.augmentation)}"
                if recipe.augmentation
                else ""
            )
            share = 1.0 if recipe.validation == "test" else 1 - float(recipe.validation)
            commits = ", ".join(dict.fromkeys(str(record.get("commit")) for record in found))
            lines.append(
                f"| `{row.name}` | {format_recipe(recipe)}{distorted} | {share:.0%} | {commits} |"
            )
    return "\n".join(lines) if len(lines) > 2 else ""
