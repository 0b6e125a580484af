"""The claims tested on the recorded runs, and the accuracies on shifted digits, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from lenet_tf.evaluation.markdown import format_table
from lenet_tf.evaluation.significance import PairedTest
from lenet_tf.reproduce import claims
from lenet_tf.reproduce.claims import Comparison
from lenet_tf.reproduce.results import Results
from lenet_tf.reproduce.statistics import (
    PairedDifference,
    format_mean_sd,
    holm_correction,
    paired_difference,
)

_ALPHA = 0.05
_MIN_SEEDS = 3
_COLUMNS = (
    "claim",
    "source",
    "first",
    "second",
    "difference in test accuracy, points (95% interval)",
    "seeds",
    "claim holds",
    "McNemar: only one correct",
)
_SHIFT_INTRODUCTION = (
    "Test accuracy in % on digits shifted up, down, left and right by the given number of pixels,"
    " mean ± sd over seeds. Part of the drop is ink that leaves the frame: with 1 to 4 pixels this"
    " happens in 0.3, 3.0, 9.1 and 21.4% of the shifted images."
)


def render_claims_table(results: Results) -> str:
    """Render every claim whose two rows share at least three seeds, with an introduction."""
    pairs = {comparison: _pair_accuracies(results, comparison) for comparison in claims.COMPARISONS}
    tests = {
        comparison: paired_difference(values)
        for comparison, values in pairs.items()
        if len(values) >= _MIN_SEEDS
    }
    if not tests:
        return ""
    corrected = holm_correction([test.p for test in tests.values()])
    lines = []
    for (comparison, test), corrected_p in zip(tests.items(), corrected, strict=True):
        verdict = test.verdict
        if test.is_significant and corrected_p >= _ALPHA:
            verdict += ", but not with Holm's correction"
        lines.append(
            (
                comparison.claim,
                comparison.source,
                f"`{comparison.better}` {test.first:.2f}%",
                f"`{comparison.worse}` {test.second:.2f}%",
                f"{test.difference:+.2f} ({test.low:+.2f} to {test.high:+.2f}), p = {test.p:.2g}",
                len(pairs[comparison]),
                verdict,
                _render_mcnemar(results, comparison),
            )
        )
    return f"{_introduce(list(tests.values()), corrected)}\n\n{format_table(_COLUMNS, lines)}"


def _introduce(tests: Sequence[PairedDifference], corrected: Sequence[float]) -> str:
    significant = sum(test.is_significant for test in tests)
    significant_corrected = sum(p < _ALPHA for p in corrected)
    return (
        "Each claim compares two rows seed by seed, because a seed decides the order of the images"
        " and which of them are used for validation. The 95% intervals and p-values come from"
        " Student's paired t-test over seeds, on the same test images. They are not corrected for"
        f" the number of claims. Of the {len(tests)} differences, {significant} differ from 0, and"
        f" {significant_corrected} with Holm's correction. If the interval contains 0, the data"
        " don't say which row is better. McNemar's exact test compares the two networks of each"
        " seed over the test images instead. Its column shows how many images only the first and"
        " only the second classifies correctly (mean over seeds), the median p, and how many seeds"
        " have p < 0.05."
    )


def _pair_accuracies(results: Results, comparison: Comparison) -> list[tuple[float, float]]:
    better, worse = results.get_row(comparison.better), results.get_row(comparison.worse)
    if better is None or worse is None:
        return []
    first, second = (results.get_test_accuracies(row, comparison.shift) for row in (better, worse))
    return [(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys())]


def _render_mcnemar(results: Results, comparison: Comparison) -> str:
    better, worse = results.get_row(comparison.better), results.get_row(comparison.worse)
    # Predictions for shifted images aren't recorded.
    if comparison.shift or better is None or worse is None:
        return "–"
    first, second = results.predictions[better], results.predictions[worse]
    seeds = sorted(first.by_seed.keys() & second.by_seed.keys())
    if not seeds:
        return "–"
    tests = [PairedTest.from_correct(first.correct(seed), second.correct(seed)) for seed in seeds]
    only_first = statistics.mean(test.only_first for test in tests)
    only_second = statistics.mean(test.only_second for test in tests)
    median_p = statistics.median(test.p_value for test in tests)
    significant = sum(test.p_value < _ALPHA for test in tests)
    return (
        f"{only_first:.0f}, {only_second:.0f};"
        f" p = {median_p:.2g} ({significant} of {len(seeds)} seeds)"
    )


def render_shift_table(results: Results) -> str:
    """Render the accuracies on shifted digits of the rows that are tested on them."""
    rows = [row for row in results.finished_rows if row.test_shifted]
    if not rows:
        return ""
    shifts = sorted(
        {int(shift) for row in rows for shift in results.records[row][0]["test"]["shifted"]}
    )
    lines = []
    for row in rows:
        accuracies = [results.get_test_accuracies(row, shift) for shift in (0, *shifts)]
        cells = [format_mean_sd(list(values.values()), with_range=False) for values in accuracies]
        lines.append((f"`{row.name}`", *cells))
    table = format_table(("row", "0", *map(str, shifts)), lines)
    return f"{_SHIFT_INTRODUCTION}\n\n{table}"
