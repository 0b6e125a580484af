"""All row types by their kind, and the row that a dictionary describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.initializers import Initializer
from lenet_tf.specs.parsing import build, require_mapping
from lenet_tf.specs.rows import Row
from lenet_tf.specs.rows_1998 import EuclideanRBF, Subsampling, TableConvolution
from lenet_tf.specs.rows_pooling import GlobalAveragePooling, Pooling
from lenet_tf.specs.rows_standard import (
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Input,
)
from lenet_tf.specs.synonyms import find_synonyms
from lenet_tf.specs.validators import show_value

_ALL: tuple[type[Row], ...] = (
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
ROW_TYPES: dict[str, type[Row]] = {row_type.kind: row_type for row_type in _ALL}


def build_row(network: str, number: int, values: Any) -> Row:
    """Build a row from the values of a TOML or JSON table.

    Args:
        network: Name of the network, for error messages.
        number: Position of the row in the network, from 1.
        values: Mapping of field names to values; `kind` names the type.

    Returns:
        The row.

    Raises:
        SpecError: If the values do not describe a row; the message names the row and the field.
    """
    where = f"{network}, row {number}"
    fields = dict(require_mapping(where, values))
    if "kind" not in fields:
        others = [field for field in fields if find_synonyms(str(field), ["kind"])]
        hint = f": rename {show_value(others[0])}" if others else ""
        raise SpecError(f"{where}: kind must be given{hint}")
    kind = fields.pop("kind")
    if not isinstance(kind, str) or kind not in ROW_TYPES:
        hint = validators.suggest(kind, tuple(ROW_TYPES), f"known are {', '.join(ROW_TYPES)}")
        raise SpecError(f"{where}: unknown kind {show_value(kind)}; {hint}")
    where = f"{where} ({kind})"
    if isinstance(fields.get("initializer"), Mapping):
        fields["initializer"] = build(Initializer, where, fields["initializer"])
    return build(ROW_TYPES[kind], where, fields)
