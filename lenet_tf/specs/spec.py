"""A network: its rows, its recipe, its images' preparation, and everything that can be computed from them without Keras."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import limits, validators
from lenet_tf.specs.initializers import Initializer
from lenet_tf.specs.parsing import build, require_mapping
from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import Augmentation, Optimizer, Recipe
from lenet_tf.specs.rows import (
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Input,
    IntPair,
    Row,
    Shape,
)
from lenet_tf.specs.rows_1998 import EuclideanRBF, Subsampling, TableConvolution
from lenet_tf.specs.rows_pooling import GlobalAveragePooling, Pooling

_ROWS = (
    Input,
    Convolution,
    TableConvolution,
    Pooling,
    Subsampling,
    GlobalAveragePooling,
    Flatten,
    Dense,
    EuclideanRBF,
    Dropout,
    BatchNormalization,
)
KINDS: dict[str, type[Row]] = {row.kind: row for row in _ROWS}


@dataclass(frozen=True)
class LayerFacts:
    """One row with the shapes and counts that its place in the table gives it. `receptive_field` is in input pixels, (height, width)."""

    number: int
    row: Row
    input_shape: Shape
    output_shape: Shape
    parameters: int
    connections: int
    multiply_adds: int
    receptive_field: IntPair


@dataclass(frozen=True)
class _View:
    """What units see of the image, in pixels per axis: `field` of one unit, `start` of the first one, `jump` from one to the next.

    `start` can lie before the image, in the padding. `together`, known once the maps are flattened, is what all units see: a dense
    unit's field.
    """

    image: IntPair
    field: IntPair = (1, 1)
    start: IntPair = (0, 0)
    jump: IntPair = (1, 1)
    together: IntPair | None = None

    def behind(self, row: Row, shape: Shape) -> _View:
        if self.together is not None:
            return replace(self, field=self.together) if row.sees_all else self
        if row.flattens:
            ends = (
                s + (n - 1) * j + f
                for s, n, j, f in zip(self.start, shape[:2], self.jump, self.field, strict=True)
            )
            together = tuple(
                min(end, size) - max(s, 0)
                for end, size, s in zip(ends, self.image, self.start, strict=True)
            )
            # A unit behind a flatten row is one of the map's, one behind global pooling has seen them all.
            return replace(
                self, together=together, field=self.field if isinstance(row, Flatten) else together
            )
        size, stride = row.window()
        return replace(
            self,
            field=tuple(
                f + (n - 1) * j for f, n, j in zip(self.field, size, self.jump, strict=True)
            ),
            start=tuple(
                s - p * j
                for s, p, j in zip(self.start, row.padding_before(shape), self.jump, strict=True)
            ),
            jump=tuple(j * n for j, n in zip(self.jump, stride, strict=True)),
        )


@dataclass(frozen=True)
class Spec:
    """A network as a table. Making one checks it: a row that cannot work raises `SpecError` with the row's number and the reason.

    `data` names the data set it is made for. `source` says where the table comes from, `notes` what to expect of it; `departures` lists
    where it differs from its source. `expected_parameters` and `expected_connections` are the published or known counts, which the tests
    hold against the arithmetic and against Keras.
    """

    name: str
    rows: tuple[Row, ...]
    recipe: Recipe = Recipe()
    preparation: Preparation = Preparation()
    data: str = "mnist"
    source: str = ""
    notes: str = ""
    departures: tuple[str, ...] = ()
    expected_parameters: int | None = None
    expected_connections: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        if (
            not isinstance(self.name, str)
            or not re.fullmatch(r"\w[\w.-]*", self.name)
            or len(self.name) > validators.MAX_NAME
        ):
            raise SpecError(
                f"a network's name must be up to {validators.MAX_NAME} letters, digits, '_', '.' and '-', not {validators.show_value(self.name)}:"
                " run folders are named after it"
            )
        limits.check_texts(self)
        limits.check_count(self.name, self.rows)
        strangers = [row for row in self.rows if not isinstance(row, Row)]
        if strangers:
            raise SpecError(f"{self.name}: {validators.show_value(strangers[0])} is not a row")
        for layer in self.layers:
            try:
                self._check_training(layer.row)
            except SpecError as error:
                raise SpecError(f"{self._place(layer.number, layer.row)}: {error}") from error

    def _place(self, number: int, row: Row) -> str:
        return f"{self.name}, row {number} ({row.name if validators.is_name(row.name) else validators.show_value(row.name)}, {row.kind})"

    def _check_training(self, row: Row) -> None:
        """Raises `SpecError` for a row that the recipe's loss or optimizer cannot train."""
        last, loss = row is self.rows[-1], self.recipe.loss
        wants = {
            "categorical_crossentropy": "activation softmax",
            "lecun1998_mle": "an rbf row",
            "lecun1998_map": "an rbf row",
        }.get(loss)
        gives = (
            "an rbf row"
            if isinstance(row, EuclideanRBF)
            else f"activation {getattr(row, 'activation', 'linear')}"
        )
        if last and wants not in (None, gives):
            raise SpecError(f"the loss {loss} needs {wants} here, not {gives}")
        if self.recipe.optimizer.name != "sdlm":
            return
        if (
            isinstance(row, Dropout | BatchNormalization)
            or getattr(row, "pool", "") == "stochastic"
        ):
            raise SpecError(
                f"the optimizer sdlm has no second derivatives for {getattr(row, 'pool', row.kind)}"
            )
        if isinstance(row, Pooling) and row.pool == "average" and row.padding == "same":
            raise SpecError(
                "the optimizer sdlm has no second derivatives for average pooling with padding same"
            )
        if gives == "activation softmax" and (not last or loss != "categorical_crossentropy"):
            raise SpecError(
                "the optimizer sdlm takes softmax only in the last row, with the loss categorical_crossentropy"
            )
        if last and (
            loss == "mean_absolute_error"
            or (isinstance(row, EuclideanRBF) and not loss.startswith("lecun1998"))
        ):
            raise SpecError(
                f"the optimizer sdlm has no second derivatives for the loss {loss} here"
            )

    @cached_property
    def layers(self) -> tuple[LayerFacts, ...]:
        """The facts of every row, in order."""
        if not self.rows or not isinstance(self.rows[0], Input):
            raise SpecError(f"{self.name}, row 1: the first row must be an input row")
        if not self.rows[-1].sees_all:
            raise SpecError(
                f"{self.name}, row {len(self.rows)}: the last row must be a dense or rbf row with one unit per class"
            )
        done: list[LayerFacts] = []
        # A shape that is none is refused in the loop, with its row.
        shape: Shape = self.rows[0].shape if isinstance(self.rows[0].shape, tuple) else ()
        view = _View(shape[:2])
        for number, row in enumerate(self.rows, 1):
            try:
                self._check_place(number, row)
                output = row.output_shape(shape)
                view = view.behind(row, shape)
                limits.check_row(
                    row, shape, output, view.jump, sum(layer.parameters for layer in done)
                )
            except SpecError as error:
                raise SpecError(f"{self._place(number, row)}: {error}") from error
            counts = row.parameters(shape), row.connections(shape), row.multiply_adds(shape)
            done.append(LayerFacts(number, row, shape, output, *counts, view.field))
            shape = output
        return tuple(done)

    def _check_place(self, number: int, row: Row) -> None:
        row.check()
        if number > 1 and isinstance(row, Input):
            raise SpecError("only the first row can be an input row")
        validators.check_name("name", row.name)
        if row.name in [earlier.name for earlier in self.rows[: number - 1]]:
            raise SpecError(f"the name {row.name!r} is taken by an earlier row")

    @property
    def input_shape(self) -> Shape:
        return self.rows[0].shape

    @property
    def num_classes(self) -> int:
        return self.rows[-1].units

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def connections(self) -> int:
        return sum(layer.connections for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds for layer in self.layers)

    def adapted(self, input_shape: Shape | None = None, num_classes: int | None = None) -> Spec:
        """The same table for other images or another number of classes; raises `SpecError` where a row cannot take them."""
        shape = (
            self.input_shape if input_shape is None else tuple(int(size) for size in input_shape)
        )
        classes = self.num_classes if num_classes is None else int(num_classes)
        if (shape, classes) == (self.input_shape, self.num_classes):
            return self
        rows = (
            replace(self.rows[0], shape=shape),
            *self.rows[1:-1],
            replace(self.rows[-1], units=classes),
        )
        return replace(self, rows=rows, expected_parameters=None, expected_connections=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `Spec.from_dict` reads it back to an equal Spec."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values |= {
            "rows": [row.to_dict() for row in self.rows],
            "recipe": asdict(self.recipe),
            "preparation": asdict(self.preparation),
        }
        return json.loads(json.dumps(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Spec:
        """Reads what `to_dict` gave; raises `SpecError` that names the row and field of a mistake."""
        given = dict(require_mapping("spec", values))
        name = given.get("name")
        name = name if validators.is_name(name) else "unnamed network"
        rows = given.get("rows")
        if not isinstance(rows, list):
            raise SpecError(
                f"{name}: rows must be a list of rows, not {validators.show_value(rows)}"
            )
        limits.check_count(name, rows)
        given["rows"] = tuple(_row(name, number, row) for number, row in enumerate(rows, 1))
        if "recipe" in given:
            recipe = dict(require_mapping("recipe", given["recipe"]))
            for field, part in {"optimizer": Optimizer, "augmentation": Augmentation}.items():
                if recipe.get(field) is not None:
                    recipe[field] = build(part, field, recipe[field])
            given["recipe"] = build(Recipe, "recipe", recipe)
        if "preparation" in given:
            given["preparation"] = build(Preparation, "preparation", given["preparation"])
        return build(cls, "spec", given, name_itself=True)


def _row(network: str, number: int, values: Any) -> Row:
    where = f"{network}, row {number}"
    values = dict(require_mapping(where, values))
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise SpecError(
            f"{where}: unknown kind {validators.show_value(kind)}; {validators.suggest(kind, tuple(KINDS), 'known are ' + ', '.join(KINDS))}"
        )
    if isinstance(values.get("initializer"), Mapping):
        values["initializer"] = build(Initializer, f"{where} ({kind})", values["initializer"])
    return build(KINDS[kind], f"{where} ({kind})", values)
