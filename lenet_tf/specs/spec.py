"""A network as a table of rows with its recipe and the preparation of its images."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import limits, validators
from lenet_tf.specs.augmentation import Augmentation
from lenet_tf.specs.default_rows import fill_rows
from lenet_tf.specs.layer_facts import LayerFacts, compute_layer_facts, describe_position
from lenet_tf.specs.parsing import SuggestsFields, build, require_mapping
from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import Optimizer, Recipe
from lenet_tf.specs.row_types import build_row
from lenet_tf.specs.rows import Row, Shape, format_shape
from lenet_tf.specs.training_checks import check_trainable


@dataclass(frozen=True)
class Spec(SuggestsFields):
    """A network as a table: its rows, its recipe and the preparation of its images.

    Attributes:
        name: Letters, digits, `_`, `.` and `-`; run folders are named after it.
        rows: The input row, hidden rows, and a dense or rbf row with one unit per class.
        recipe: How `lenet_tf.fit` trains the network unless its arguments say otherwise.
        preparation: How raw images are prepared for the network.
        data: Name of the data set that the network is made for.
        source: Where the network comes from.
        notes: What to expect of it.
        departures: Where it differs from its source.
        expected_parameters: Published or otherwise known number of weights, for tests.
        expected_connections: Published or otherwise known number of connections, for tests.
        default_shape: Shape of the input row where the data decide it. Any other is fixed.
        default_classes: Units of the last row where the data decide them. Any other are fixed.

    Raises:
        SpecError: If a row is invalid or cannot be trained; the message names the row.

    Example:
        >>> from lenet_tf.specs import Dense, Flatten, Input, Spec
        >>> rows = (Input(), Flatten(), Dense("OUTPUT", units=10, activation="softmax"))
        >>> spec = Spec("perceptron", rows)
        >>> spec.input_shape, spec.num_classes, spec.parameters
        ((28, 28, 1), 10, 7850)
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
    default_shape: Shape | None = None
    default_classes: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        self._check_network_name()
        limits.check_texts(self)
        limits.check_row_count(self.name, self.rows)
        for row in self.rows:
            if not isinstance(row, Row):
                raise SpecError(f"{self.name}: {validators.show_value(row)} is not a row")
            validators.convert_numpy_fields(row)
        for field, value in fill_rows(self.rows, self.preparation).items():
            object.__setattr__(self, field, value)
        for layer in self.layers:
            try:
                check_trainable(layer.row, layer.row is self.rows[-1], self.recipe)
            except SpecError as error:
                where = describe_position(self.name, layer.number, layer.row)
                raise SpecError(f"{where}: {error}") from error

    def _check_network_name(self) -> None:
        name = self.name
        if (
            not isinstance(name, str)
            or not re.fullmatch(r"\w[\w.-]*", name)
            or len(name) > validators.MAX_NAME
        ):
            raise SpecError(
                f"a network's name must be up to {validators.MAX_NAME} letters, digits, '_', '.' "
                f"and '-', not {validators.show_value(name)}: run folders are named after it"
            )

    @cached_property
    def layers(self) -> tuple[LayerFacts, ...]:
        """Shapes, counts and receptive field of every row, in order."""
        return compute_layer_facts(self.name, self.rows)

    @property
    def input_shape(self) -> Shape:
        """Shape (height, width, channels) of a prepared image."""
        return self.layers[0].output_shape

    @property
    def num_classes(self) -> int:
        """Number of units of the last row."""
        return self.layers[-1].output_shape[0]

    @property
    def parameters(self) -> int:
        """Number of weights, whether or not they are trained."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def connections(self) -> int:
        """Number of connections, as counted by LeCun et al. 1998, section II.B."""
        return sum(layer.connections for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Number of products of a weight and an input for one image."""
        return sum(layer.multiply_adds for layer in self.layers)

    def adapt(
        self, input_shape: Sequence[int] | None = None, num_classes: int | None = None
    ) -> Spec:
        """Create the same network for other images or another number of classes.

        Args:
            input_shape: Shape (height, width, channels) of a prepared image; None keeps it.
            num_classes: Number of classes; None keeps it.

        Returns:
            The adapted network, without expected counts; the same object if nothing changes.

        Raises:
            SpecError: If a row does not accept the new shape or number.
        """
        plain = validators.to_plain_number
        shape = self.input_shape if input_shape is None else tuple(map(plain, input_shape))
        classes = self.num_classes if num_classes is None else plain(num_classes)
        if (shape, classes) == (self.input_shape, self.num_classes):
            return self
        first, *hidden, last = self.rows
        return replace(
            self,
            rows=(first.replace(shape=shape), *hidden, last.replace(units=classes)),
            expected_parameters=None,
            expected_connections=None,
        )

    def follow_data(self) -> Spec:
        """Return the network with an input shape and a number of classes that the data decide."""
        return replace(self, default_shape=self.input_shape, default_classes=self.num_classes)

    def adapt_to_data(self, data: str, input_shape: Sequence[int], num_classes: int) -> Spec:
        """Create the network for a data set, unless a row says that it is for another one.

        Args:
            data: The data set's name, for error messages.
            input_shape: Shape (height, width, channels) of its images when they are prepared.
            num_classes: Its number of classes.

        Returns:
            The adapted network; the same object if nothing changes.

        Raises:
            SpecError: If the first or last row gives another shape or number, or a row does not
                accept the new ones.
        """
        shape, follows = tuple(input_shape), self.default_shape == self.input_shape
        if not follows and shape != self.input_shape:
            raise SpecError(
                f"{self.name}, row 1 (INPUT): its shape is {format_shape(self.input_shape)}, but"
                f" the images of {data} are {format_shape(shape)} when prepared: leave shape out"
                " to take theirs, or change the preparation (pad_to, channels)"
            )
        counts = self.default_classes == self.num_classes
        if not counts and num_classes != self.num_classes:
            where = describe_position(self.name, len(self.rows), self.rows[-1])
            raise SpecError(
                f"{where}: it has {self.num_classes} units, but {data} has {num_classes} classes:"
                f" set units = {num_classes}, or leave units out to take the number of classes"
            )
        adapted = self.adapt(shape, num_classes)
        if adapted is self:
            return self
        return replace(
            adapted,
            default_shape=shape if follows else None,
            default_classes=num_classes if counts else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert the network to JSON-compatible values, which `Spec.from_dict` reads back."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values |= {
            "rows": [row.to_dict() for row in self.rows],
            "recipe": asdict(self.recipe),
            "preparation": asdict(self.preparation),
        }
        return json.loads(json.dumps(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Spec:
        """Create a network from the values of a TOML or JSON table.

        Args:
            values: Field names and values, as `to_dict` returns them.

        Returns:
            The network.

        Raises:
            SpecError: If the values are invalid; the message names the row and the field.
        """
        arguments = dict(require_mapping("spec", values))
        name = (
            str(arguments["name"])
            if validators.is_name(arguments.get("name"))
            else "unnamed network"
        )
        rows = arguments.get("rows")
        if not isinstance(rows, list):
            raise SpecError(
                f"{name}: rows must be a list of rows, not {validators.show_value(rows)}"
            )
        limits.check_row_count(name, rows)
        arguments["rows"] = tuple(
            build_row(name, number, row) for number, row in enumerate(rows, 1)
        )
        if "recipe" in arguments:
            recipe = dict(require_mapping("recipe", arguments["recipe"]))
            for field, part in {"optimizer": Optimizer, "augmentation": Augmentation}.items():
                if recipe.get(field) is not None:
                    recipe[field] = build(part, field, recipe[field])
            arguments["recipe"] = build(Recipe, "recipe", recipe)
        if "preparation" in arguments:
            arguments["preparation"] = build(Preparation, "preparation", arguments["preparation"])
        return build(cls, "spec", arguments, names_itself=True)
