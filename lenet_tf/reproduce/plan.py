"""The plan: which networks are trained, with which recipe, on how many seeds."""

from __future__ import annotations

from collections.abc import Sequence

from lenet_tf.errors import SpecError, suggest_name
from lenet_tf.reproduce.plan_1998 import PAPER_ROWS
from lenet_tf.reproduce.plan_color import COLOR_ROWS
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.specs import get_spec

_TUTORIAL = "the tutorial, 2022"
# github.com/zalandoresearch/fashion-mnist lists unverified submissions. Those with two
# convolutions have accuracies of 0.876 to 0.932; the smallest, below 100,000 parameters, has 0.925.
_SUBMISSIONS = (
    "6.8–12.4 (seven with two convolutions on Zalando's list; 7.5 with < 100,000 parameters)"
)

_TUTORIAL_ROWS = (
    TableRow(
        "lenet5",
        "the tutorial's recipe, corrected",
        get_spec("lenet5"),
        seeds=10,
        published_error=1.29,
        published_by=_TUTORIAL,
        show_best_epoch=True,
    ),
    TableRow(
        "lenet5-divided-twice",
        "… test images divided by 255 twice, as in the tutorial's code",
        get_spec("lenet5-divided-twice"),
        seeds=3,
        note="measures the tutorial's code as printed; random guessing has an error of 90%",
    ),
)

_COMPARISON_ROWS = (
    TableRow(
        "lenet5-held-back",
        "`lenet5` with a validation split of 10%, for the comparisons",
        get_spec("lenet5-held-back"),
        seeds=5,
        test_shifted=True,
    ),
    TableRow(
        "lenet5-3x3",
        "… two 3×3 convolutions for each 5×5 (62,724 parameters)",
        get_spec("lenet5-3x3"),
        seeds=5,
    ),
    TableRow(
        "lenet5-max",
        "… max pooling",
        get_spec("lenet5-max"),
        seeds=5,
    ),
    TableRow(
        "lenet5-no-padding",
        "… no padding in C1 (44,426 parameters)",
        get_spec("lenet5-no-padding"),
        seeds=5,
    ),
)

ROWS: tuple[TableRow, ...] = (
    *_TUTORIAL_ROWS,
    *PAPER_ROWS,
    TableRow(
        "cnn-38k",
        "the network of the tutorial's companion post",
        get_spec("cnn-38k"),
        seeds=5,
        target_error=1.0,
        attempts=(
            "Nothing was tried: five earlier runs, in TFDS' order of images and on a processor"
            " without AVX-512, had 0.97 ± 0.05% and met the target. The mean of all ten is 1.02%."
        ),
    ),
    TableRow(
        "lenet5-modern-fast",
        "`lenet5-modern`, `--recipe fast`: two epochs",
        get_spec("lenet5-modern-fast"),
        seeds=5,
    ),
    *_COMPARISON_ROWS,
    TableRow(
        "lenet5-modern-accurate",
        "`lenet5-modern`, `--recipe accurate`: 40 epochs of distorted images, 61,706 parameters",
        get_spec("lenet5-modern-accurate"),
        seeds=5,
        target_error=0.55,
        note=(
            "its settings are one of 67 that 450 networks tried on 10,000 validation images"
            " (`sweep.jsonl`, after `tuning.jsonl`). They are the simplest of the best, ninth by"
            " mean number of errors (50.4; the best had 48.2; the starting point, weight decay"
            " 0.01, had 58.5). Among this many settings, differences of a few errors are chance"
        ),
    ),
    TableRow(
        "lenet5-fashion",
        "`lenet5` with a validation split of 10%, on Fashion-MNIST",
        get_spec("lenet5-fashion"),
        seeds=3,
        data="fashion_mnist",
        published_by=_SUBMISSIONS,
    ),
    TableRow(
        "lenet5-modern-fashion",
        "`lenet5-modern`, `--recipe accurate`, on Fashion-MNIST",
        get_spec("lenet5-modern-fashion"),
        seeds=3,
        data="fashion_mnist",
        published_by=_SUBMISSIONS,
        note="uses the recipe chosen on MNIST, unchanged",
    ),
    *COLOR_ROWS,
)


def get_rows(names: Sequence[str]) -> tuple[TableRow, ...]:
    """Look up rows of the plan.

    Args:
        names: Names of rows. Empty: all rows.

    Returns:
        Each named row once, in the given order.

    Raises:
        SpecError: If the plan has no row with one of these names.
    """
    rows = {row.name: row for row in ROWS}
    for name in names:
        if name not in rows:
            hint = suggest_name(name, rows, "known rows are " + ", ".join(rows))
            raise SpecError(f"unknown row {name!r}: {hint}")
    return tuple(rows[name] for name in dict.fromkeys(names or rows))
