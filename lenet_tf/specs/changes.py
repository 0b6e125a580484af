"""Changes to a network and its recipe by the usual names of training options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs.differences import (
    describe_changes,
    label_network,
    list_network_changes,
    list_recipe_changes,
)
from lenet_tf.specs.fields import set_field
from lenet_tf.specs.initializers import Initializer
from lenet_tf.specs.parsing import SuggestsFields
from lenet_tf.specs.recipes import Optimizer
from lenet_tf.specs.spec import Spec
from lenet_tf.specs.validators import MAX_TEXT, to_plain_number

# Keras' defaults, and for sdlm the paper's rate of the first epoch.
DEFAULT_RATES = {
    "adam": 0.001,
    "adamw": 0.001,
    "sgd": 0.01,
    "rmsprop": 0.001,
    "adagrad": 0.001,
    "sdlm": 0.0005,
}
_OPTIMIZER_FIELDS = ("learning_rate", "momentum", "weight_decay")


@dataclass(frozen=True)
class Changes(SuggestsFields):
    """What differs from a network and its recipe. None keeps what is there.

    Attributes:
        learning_rate: One rate, or one per epoch. With a one-cycle schedule, the peak.
        lr: Another name of `learning_rate`.
        optimizer: An `Optimizer`, or the name of one. Another one than the recipe's starts from
            Keras' defaults, without the other options of the recipe's.
        momentum: Momentum of `sgd` or `rmsprop`.
        weight_decay: Weight decay of `adamw`.
        loss: One of `lenet_tf.specs.recipes.LOSSES`.
        label_smoothing: Fraction of the target that cross-entropy spreads over all classes.
        activation: Activation of every hidden row that has one. Initial weights stay.
        initializer: Initial weights of every hidden row that has some.
        pool: What every pooling row takes of a window, such as `max`.
        dropout: Rate of the dropout rows. A network without one gets one behind every hidden
            dense row, or before its output if there is no hidden dense row.
        changes: Any other field by its path, such as `recipe.optimizer.nesterov`,
            `preparation.pad_to` or `rows.C1.filters`, and its value.

    Example:
        >>> from lenet_tf.specs import get_spec
        >>> from lenet_tf.specs.changes import Changes
        >>> Changes(activation="relu", lr=0.01).apply(get_spec("lenet5")).name
        'lenet5-relu'
    """

    learning_rate: float | Sequence[float] | None = None
    lr: float | Sequence[float] | None = None
    optimizer: str | Optimizer | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    loss: str | None = None
    label_smoothing: float | None = None
    activation: str | None = None
    initializer: str | Initializer | None = None
    pool: str | None = None
    dropout: float | None = None
    changes: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.lr is not None:
            if self.learning_rate is not None:
                raise SpecError("lr and learning_rate are two names of one number: give one")
            object.__setattr__(self, "learning_rate", self.lr)
            object.__setattr__(self, "lr", None)
        if not isinstance(self.changes, Mapping | None):
            raise SpecError(
                "changes must be a dictionary such as {'recipe.optimizer.momentum': 0.9}, not"
                f" {type(self.changes).__name__}"
            )

    def apply(self, spec: Spec) -> Spec:
        """Apply the changes.

        Args:
            spec: The network.

        Returns:
            The changed network, without expected counts and with another name if its rows or its
            preparation differ. The same object if nothing does.

        Raises:
            SpecError: A change does not fit the network, or a value is invalid.
        """
        given = {field.name: to_plain_number(getattr(self, field.name)) for field in fields(self)}
        given = {name: value for name, value in given.items() if value is not None}
        table = spec.to_dict()
        _change_recipe(table["recipe"], given)
        _change_rows(spec.name, table, given)
        for path, value in given.get("changes", {}).items():
            set_field(table, path, value)
        if table["preparation"] != spec.to_dict()["preparation"] and (
            table["rows"][0]["shape"] == table["default_shape"]
        ):
            # The data decide it, prepared in the new way.
            del table["rows"][0]["shape"]
        changed = Spec.from_dict(table)
        return spec if changed == spec else _describe(spec, changed)


def _change_recipe(recipe: dict[str, Any], given: Mapping[str, Any]) -> None:
    optimizer, table = given.get("optimizer"), recipe["optimizer"]
    if isinstance(optimizer, Optimizer):
        table = asdict(optimizer)
    elif optimizer is not None and optimizer != table["name"]:
        # An unknown name is refused with the table.
        rate = DEFAULT_RATES.get(optimizer) if isinstance(optimizer, str) else None
        table = {"name": optimizer, "learning_rate": rate or DEFAULT_RATES["adam"]}
    recipe["optimizer"] = table | {name: given[name] for name in _OPTIMIZER_FIELDS if name in given}
    recipe |= {name: given[name] for name in ("loss", "label_smoothing") if name in given}


def _change_rows(network: str, table: dict[str, Any], given: Mapping[str, Any]) -> None:
    hidden = table["rows"][1:-1]
    for field in ("activation", "initializer"):
        if field not in given:
            continue
        value = given[field]
        rows = [row for row in hidden if field in row]
        if not rows:
            raise SpecError(f"{network} has no hidden row with an {field}")
        for row in rows:
            row[field] = asdict(value) if isinstance(value, Initializer) else value
    if "pool" in given:
        _change_pooling(network, hidden, given["pool"])
    if "dropout" in given:
        table["rows"] = _set_dropout(table["rows"], given["dropout"])


def _change_pooling(network: str, rows: Sequence[dict[str, Any]], pool: str) -> None:
    pooling = [row for row in rows if row["kind"] == "pooling"]
    if not pooling:
        trained = [row["name"] for row in rows if row["kind"] == "subsampling"]
        reason = (
            f"{' and '.join(trained)} are the trainable subsampling of 1998, a sum of the window"
            " with a coefficient and a bias: choose a network such as lenet5"
            if trained
            else "it has no pooling row"
        )
        raise SpecError(f"the pooling of {network} can't change: {reason}")
    for row in pooling:
        row["pool"] = pool


def _set_dropout(rows: list[dict[str, Any]], rate: float) -> list[dict[str, Any]]:
    if any(row["kind"] == "dropout" for row in rows):
        return [row | {"rate": rate} if row["kind"] == "dropout" else row for row in rows]
    if rate == 0:
        return rows
    new = {"kind": "dropout", "rate": rate}
    *before, last = rows
    if not any(row["kind"] == "dense" for row in before):
        return [*before, new, last]
    with_dropout = ([row, dict(new)] if row["kind"] == "dense" else [row] for row in before)
    return [row for pair in with_dropout for row in pair] + [last]


def _describe(old: Spec, new: Spec) -> Spec:
    """Say in a changed network's texts that it is no longer the one that they describe."""
    in_network = list_network_changes(old, new)
    text = describe_changes([*in_network, *list_recipe_changes(old, new)])
    labels: dict[str, Any] = {}
    if text and new.notes == old.notes:
        labels["notes"] = f"changed: {text}{f'; before: {old.notes}' if old.notes else ''}"
    if in_network:
        labels |= {"expected_parameters": None, "expected_connections": None}
        if new.name == old.name:
            labels["name"] = label_network(old.name, in_network)
        if new.source == old.source:
            labels["source"] = f"changed from {old.name}{f': {old.source}' if old.source else ''}"
    for field in ("notes", "source"):
        if field in labels:
            labels[field] = labels[field][:MAX_TEXT]
    return replace(new, **labels)
