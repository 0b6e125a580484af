"""Check that each value of a space fits some network of it, before the first trial."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lenet_tf.errors import LenetError, SpecError
from lenet_tf.sweep.field import SweptField
from lenet_tf.sweep.space import Space

# Combinations of the other fields that are tried with a value.
_MAX_TRIED = 50


class FieldError(SpecError):
    """A value that no combination of the others allows.

    Attributes:
        name: The field.

    Args:
        name: The field.
        text: What is wrong.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def check_space(space: Space) -> Space:
    """Check every choice and both ends of every range of a space.

    Args:
        space: A space whose fields are known to be well-formed.

    Returns:
        The space, whose ranges of whole numbers are fractional where the field takes fractions.

    Raises:
        FieldError: A value fits no combination of the other fields' values.
        SpecError: What all trials share is invalid.
    """
    space.describe_base()
    space = replace(space, fields=tuple(_find_type(space, each) for each in space.fields))
    space.get_validation()
    for each in space.fields:
        for value in each.examples:
            _check_value(space, each, value)
    return space


def _find_type(space: Space, field: SweptField) -> SweptField:
    """Return the field with fractions between `low` and `high` if its values may be fractions."""
    if field.choices or not field.is_integer:
        return field
    assert field.low is not None
    fractional = replace(field, is_integer=False)
    try:
        _check_value(space, fractional, field.low + 0.5)
    except FieldError:
        return field
    return fractional


def _check_value(space: Space, field: SweptField, value: Any) -> None:
    errors: list[str] = []
    for others in itertools.islice(_combine_others(space, field), _MAX_TRIED):
        values = others | {field.name: value}
        try:
            space.build_config(values, seed=0)
            return
        except LenetError as error:
            errors.append(str(error))
    # The plainest combination comes first: its error is about this value.
    shown = f'"{value}"' if isinstance(value, str) else value
    raise FieldError(field.name, f"{field.name} = {shown}: {errors[0]}")


def _combine_others(space: Space, field: SweptField) -> Iterator[dict[str, Any]]:
    """Yield values of the other fields: those that `field` needs, then random combinations."""
    others = [each for each in space.fields if each is not field and each.name != field.name]
    needed = dict(field.when)
    fixed = {each.name: each.decode(needed[each.name]) for each in others if each.name in needed}
    yield fixed
    for each in others:
        for value in each.examples:
            yield {each.name: value} | fixed
    draw = random.Random(0)
    for _ in range(_MAX_TRIED):
        yield {each.name: draw.choice(each.examples) for each in others} | fixed
