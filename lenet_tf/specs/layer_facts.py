"""Shapes, counts and receptive fields of the rows of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lenet_tf.errors import SpecError
from lenet_tf.specs import limits, validators
from lenet_tf.specs.rows import IntPair, Row, Shape
from lenet_tf.specs.rows_standard import Flatten, Input


@dataclass(frozen=True)
class LayerFacts:
    """A row with the shapes and counts that follow from its position in the network.

    Attributes:
        number: Position in the network, from 1.
        row: The row itself.
        input_shape: Shape of one input without the batch axis.
        output_shape: Shape of one output without the batch axis.
        parameters: Number of weights, whether or not they are trained.
        connections: Number of connections, as counted by LeCun et al. 1998.
        multiply_adds: Number of products of a weight and an input for one image.
        receptive_field: Height and width in pixels of what one unit sees of the image.

    Example:
        >>> from lenet_tf.specs import get_spec
        >>> facts = get_spec("lenet5").layers[1]
        >>> facts.row.name, facts.output_shape, facts.parameters, facts.receptive_field
        ('C1', (28, 28, 6), 156, (5, 5))
    """

    number: int
    row: Row
    input_shape: Shape
    output_shape: Shape
    parameters: int
    connections: int
    multiply_adds: int
    receptive_field: IntPair


def compute_layer_facts(network: str, rows: Sequence[Row]) -> tuple[LayerFacts, ...]:
    """Compute the facts of every row and check that each accepts its input.

    Args:
        network: Name of the network, for error messages.
        rows: Rows of the network, the input row first.

    Returns:
        The facts, in the order of the rows.

    Raises:
        SpecError: If a row is invalid; the message names the row and the reason.
    """
    if not rows or not isinstance(rows[0], Input):
        raise SpecError(f"{network}, row 1: the first row must be an input row")
    if not rows[-1].is_fully_connected:
        raise SpecError(
            f"{network}, row {len(rows)}: the last row must be a dense or rbf row "
            "with one unit per class"
        )
    facts: list[LayerFacts] = []
    # An invalid shape is reported below, together with its row.
    shape: Shape = rows[0].shape if isinstance(rows[0].shape, tuple) else ()
    field = _ReceptiveField((shape[0], shape[1]) if len(shape) == 3 else (0, 0))
    parameters = 0
    for number, row in enumerate(rows, 1):
        try:
            _check_position(row, rows[: number - 1])
            output = row.output_shape(shape)
            field = field.after(row, shape)
            limits.check_row(row, shape, output, field.jump, parameters)
        except SpecError as error:
            raise SpecError(f"{describe_position(network, number, row)}: {error}") from error
        counts = row.parameters(shape), row.connections(shape), row.multiply_adds(shape)
        facts.append(LayerFacts(number, row, shape, output, *counts, field.size))
        parameters += counts[0]
        shape = output
    return tuple(facts)


def describe_position(network: str, number: int, row: Row) -> str:
    """Format where a row is, such as `lenet5, row 2 (C1, convolution)`."""
    name = row.name if validators.is_name(row.name) else validators.show_value(row.name)
    return f"{network}, row {number} ({name}, {row.kind})"


def _check_position(row: Row, earlier: Sequence[Row]) -> None:
    if earlier and isinstance(row, Input):
        raise SpecError("only the first row can be an input row")
    row.check()
    validators.check_name("name", row.name)
    if row.name in [other.name for other in earlier]:
        raise SpecError(f"an earlier row has the name {row.name!r} already")


@dataclass(frozen=True)
class _ReceptiveField:
    """What the units of a layer see of the image, in pixels per axis.

    Attributes:
        image: Height and width of the image.
        size: Height and width of what one unit sees.
        start: Where the first unit's field starts; negative if it starts in the padding.
        jump: Distance between the fields of neighboring units.
        union: What all units together see, once the feature maps are flattened.
    """

    image: IntPair
    size: IntPair = (1, 1)
    start: IntPair = (0, 0)
    jump: IntPair = (1, 1)
    union: IntPair | None = None

    def after(self, row: Row, shape: Shape) -> _ReceptiveField:
        """Compute the field behind a row with an input of `shape`."""
        if self.union is not None:
            return replace(self, size=self.union) if row.is_fully_connected else self
        if row.is_flattening:
            union = self._compute_union(shape)
            # Flattening leaves each unit its own field; global pooling merges all of them.
            return replace(self, union=union, size=self.size if isinstance(row, Flatten) else union)
        window, stride = row.window()
        padding = row.compute_padding_before(shape)
        return replace(
            self,
            size=_map_axes(lambda f, n, j: f + (n - 1) * j, self.size, window, self.jump),
            start=_map_axes(lambda s, p, j: s - p * j, self.start, padding, self.jump),
            jump=_map_axes(lambda j, n: j * n, self.jump, stride),
        )

    def _compute_union(self, shape: Shape) -> IntPair:
        ends = _map_axes(
            lambda s, n, j, f: s + (n - 1) * j + f, self.start, shape[:2], self.jump, self.size
        )
        return _map_axes(
            lambda start, end, size: min(end, size) - max(start, 0), self.start, ends, self.image
        )


def _map_axes(function: Callable[..., int], *pairs: Sequence[int]) -> IntPair:
    """Apply a function to the vertical values, then to the horizontal ones."""
    vertical, horizontal = zip(*pairs, strict=True)
    return function(*vertical), function(*horizontal)
