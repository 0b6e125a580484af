"""Which runs of the reproduction plan become presets, and the rule that chooses their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lenet_tf.errors import RunError
from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.table_row import TableRow

RULE_VALIDATION = (
    "the seed with the median validation error after the last epoch, the lower one of an even"
    " number, the lowest seed of equal ones"
)
# Where the test images are the validation images, they must not choose.
RULE_TRAINING = (
    "the seed with the median training loss after the last epoch, the lower one of an even number,"
    " the lowest seed of equal ones: this row's validation images are the test images"
)


@dataclass(frozen=True)
class PlannedPreset:
    """A preset that is made from a run of the plan.

    Attributes:
        name: The name of the preset.
        row: The name of the row whose recipe trains it.
        title: The network and its recipe in words.
    """

    name: str
    row: str
    title: str


PLANNED = (
    PlannedPreset(
        "cnn-38k-mnist", "cnn-38k", "The second tutorial's network, with ReLU and max pooling"
    ),
    PlannedPreset("lenet1-mnist", "lenet1", "LeNet-1 of 1989, as the paper of 1998 counts it"),
    PlannedPreset("lenet4-mnist", "lenet4", "LeNet-4 of 1998, with assumed connections"),
    PlannedPreset(
        "lenet5-1998-mnist",
        "lenet5-1998",
        "LeNet-5 as the paper of 1998 describes it, with an RBF output",
    ),
    PlannedPreset("lenet5-mnist", "lenet5", "LeNet-5 of the tutorials: tanh and average pooling"),
    PlannedPreset(
        "lenet5-modern-fashion-mnist",
        "lenet5-modern-fashion",
        "LeNet-5 with ReLU and max pooling, trained with distorted images of clothes",
    ),
    PlannedPreset(
        "lenet5-modern-mnist",
        "lenet5-modern-accurate",
        "LeNet-5 with ReLU and max pooling, trained with distorted images",
    ),
)


def get_rule(row: TableRow) -> str:
    """Return the rule that chooses a seed of a row, in words."""
    return RULE_TRAINING if row.spec.recipe.validation == "test" else RULE_VALIDATION


def choose_seed(row: TableRow, records: Sequence[Record]) -> int:
    """Choose the seed of a row that becomes a preset, without a look at any test error.

    Args:
        row: The row.
        records: Its records.

    Returns:
        The seed, by the rule of `get_rule`.

    Raises:
        RunError: If the row has no records.
    """
    if not records:
        raise RunError(
            f"{row.name} has no records, which choose the seed: run `lenet-tf reproduce {row.name}`"
        )
    # The smaller, the better.
    name, sign = ("loss", 1) if get_rule(row) == RULE_TRAINING else ("val_accuracy", -1)
    ranks = sorted((sign * record["epochs"][name][-1], record["seed"]) for record in records)
    median = ranks[(len(ranks) - 1) // 2][0]
    return min(seed for value, seed in ranks if value == median)
