"""A network: its rows, its recipe, its images' preparation, and everything that can be computed from them without Keras."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from lenet_tf.errors import SpecError, did_you_mean
from lenet_tf.specs.recipes import Optimizer, Preparation, Recipe
from lenet_tf.specs.rows import BatchNormalization, Convolution, Dense, Dropout, Flatten, Input, Pair, Pooling, Row, Shape
from lenet_tf.specs.rows1998 import EuclideanRBF, Subsampling, TableConvolution

_ROWS = (Input, Convolution, TableConvolution, Pooling, Subsampling, Flatten, Dense, EuclideanRBF, Dropout, BatchNormalization)
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
    receptive_field: Pair


@dataclass(frozen=True)
class _View:
    """What units see of the image, in pixels per axis: `field` of one unit, `start` of the first one, `jump` from one to the next.

    `start` can lie before the image, in the padding. `together`, known once the maps are flattened, is what all units see: a dense
    unit's field.
    """

    image: Pair
    field: Pair = (1, 1)
    start: Pair = (0, 0)
    jump: Pair = (1, 1)
    together: Pair | None = None

    def behind(self, row: Row, shape: Shape) -> _View:
        if self.together is not None:
            return replace(self, field=self.together) if row.sees_all else self
        if isinstance(row, Flatten):
            ends = (s + (n - 1) * j + f for s, n, j, f in zip(self.start, shape[:2], self.jump, self.field, strict=True))
            together = tuple(min(end, size) - max(s, 0) for end, size, s in zip(ends, self.image, self.start, strict=True))
            return replace(self, together=together)
        size, stride = row.window()
        return replace(
            self,
            field=tuple(f + (n - 1) * j for f, n, j in zip(self.field, size, self.jump, strict=True)),
            start=tuple(s - p * j for s, p, j in zip(self.start, row.padding_before(shape), self.jump, strict=True)),
            jump=tuple(j * n for j, n in zip(self.jump, stride, strict=True)),
        )


@dataclass(frozen=True)
class Spec:
    """A network as a table. Making one checks it: a row that cannot work raises `SpecError` with the row's number and the reason.

    `source` says where the table comes from, `notes` what to expect of it; `expected_parameters` is the published or known count, which
    the tests hold against the arithmetic and against Keras.
    """

    name: str
    rows: tuple[Row, ...]
    recipe: Recipe = Recipe()
    preparation: Preparation = Preparation()
    source: str = ""
    notes: str = ""
    expected_parameters: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        strangers = [row for row in self.rows if not isinstance(row, Row)]
        if strangers:
            raise SpecError(f"{self.name}: {strangers[0]!r} is not a row")
        _ = self.layers
        last, loss = self.rows[-1], self.recipe.loss
        wants = {"categorical_crossentropy": "activation softmax", "lecun1998_mle": "an rbf row", "lecun1998_map": "an rbf row"}.get(loss)
        gives = "an rbf row" if isinstance(last, EuclideanRBF) else f"activation {last.activation}"
        if wants not in (None, gives):
            raise SpecError(
                f"{self.name}, row {len(self.rows)} ({last.name}, {last.kind}): the loss {loss} needs {wants} here, not {gives}"
            )

    @cached_property
    def layers(self) -> tuple[LayerFacts, ...]:
        """The facts of every row, in order."""
        if not isinstance(self.name, str) or not re.fullmatch(r"\w[\w.-]*", self.name):
            raise SpecError(
                f"a network's name must be letters, digits, '_', '.' and '-', not {self.name!r}: run folders are named after it"
            )
        if not self.rows or not isinstance(self.rows[0], Input):
            raise SpecError(f"{self.name}, row 1: the first row must be an input row")
        if not self.rows[-1].sees_all:
            raise SpecError(f"{self.name}, row {len(self.rows)}: the last row must be a dense or rbf row with one unit per class")
        done: list[LayerFacts] = []
        shape: Shape = self.rows[0].shape
        view = _View(self.rows[0].shape[:2])
        for number, row in enumerate(self.rows, 1):
            try:
                self._check_place(number, row)
                output = row.output_shape(shape)
            except SpecError as error:
                raise SpecError(f"{self.name}, row {number} ({row.name}, {row.kind}): {error}") from error
            view = view.behind(row, shape)
            counts = row.parameters(shape), row.connections(shape), row.multiply_adds(shape)
            done.append(LayerFacts(number, row, shape, output, *counts, view.field))
            shape = output
        return tuple(done)

    def _check_place(self, number: int, row: Row) -> None:
        row.check()
        if number > 1 and isinstance(row, Input):
            raise SpecError("only the first row can be an input row")
        if not isinstance(row.name, str) or not row.name or "/" in row.name:
            raise SpecError(f"name must be a text without a slash, not {row.name!r}")
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
        shape = self.input_shape if input_shape is None else tuple(int(size) for size in input_shape)
        classes = self.num_classes if num_classes is None else int(num_classes)
        if (shape, classes) == (self.input_shape, self.num_classes):
            return self
        rows = (replace(self.rows[0], shape=shape), *self.rows[1:-1], replace(self.rows[-1], units=classes))
        return replace(self, rows=rows, expected_parameters=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `Spec.from_dict` reads it back to an equal Spec."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values |= {"rows": [row.to_dict() for row in self.rows], "recipe": asdict(self.recipe), "preparation": asdict(self.preparation)}
        return json.loads(json.dumps(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Spec:
        """Reads what `to_dict` gave; raises `SpecError` that names the row and field of a mistake."""
        given = dict(_mapping("spec", values))
        name = given.get("name", "unnamed network")
        rows = given.get("rows")
        if not isinstance(rows, list):
            raise SpecError(f"{name}: rows must be a list of rows, not {rows!r}")
        given["rows"] = tuple(_row(name, number, row) for number, row in enumerate(rows, 1))
        if "recipe" in given:
            recipe = dict(_mapping("recipe", given["recipe"]))
            if "optimizer" in recipe:
                recipe["optimizer"] = _make(Optimizer, "optimizer", recipe["optimizer"])
            given["recipe"] = _make(Recipe, "recipe", recipe)
        if "preparation" in given:
            given["preparation"] = _make(Preparation, "preparation", given["preparation"])
        return _make(cls, "spec", given)


def _mapping(where: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise SpecError(f"{where} must be a table of names and values, not {values!r}")
    return values


def _make(cls: type, where: str, values: Any) -> Any:
    """`cls(**values)`, with lists turned to tuples and unknown or missing fields told by name."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in _mapping(where, values).items()}
    known = [f.name for f in fields(cls)]
    for field in values:
        if field not in known:
            raise SpecError(f"{where}: unknown field {field!r}; {did_you_mean(str(field), known, 'known are ' + ', '.join(known))}")
    missing = [f.name for f in fields(cls) if f.name not in values and f.default is MISSING]
    if missing:
        raise SpecError(f"{where}: {', '.join(missing)} must be given")
    try:
        return cls(**values)
    except SpecError as error:
        # A Spec names itself and its row.
        raise error if cls is Spec else SpecError(f"{where}: {error}") from error


def _row(network: str, number: int, values: Any) -> Row:
    where = f"{network}, row {number}"
    values = dict(_mapping(where, values))
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise SpecError(f"{where}: unknown kind {kind!r}; {did_you_mean(str(kind), KINDS, 'known are ' + ', '.join(KINDS))}")
    return _make(KINDS[kind], f"{where} ({kind})", values)
