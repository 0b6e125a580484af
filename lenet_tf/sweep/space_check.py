"""Check that each value of a space fits some network of it, before the first trial."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lenet_tf.errors import LenetError, SpecError
from lenet_tf.sweep.field import SAME_FIELDS, SweptField, label_choice
from lenet_tf.sweep.space import Space
from lenet_tf.sweep.space_lines import SpaceKeyError

# Combinations of the other fields that are tried with a value.
_MAX_TRIED = 50


class FieldError(SpaceKeyError):
    """An error at a field.

    Args:
        name: The field.
        text: What is wrong.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, text, "space")


def check_space(space: Space) -> Space:
    """Check every choice and both ends of every range of a space.

    Args:
        space: A space whose fields are known to be well-formed.

    Returns:
        The space, whose ranges of whole numbers are fractional where the field takes fractions.

    Raises:
        SpaceKeyError: A value fits no combination of the other fields' values, or what all trials
            share is invalid.
        SpecError: The same, where no single key is to blame.
    """
    _check_fields(space)
    _check_shared(space)
    space = replace(space, fields=tuple(_find_type(space, each) for each in space.fields))
    space.get_validation()
    for each in space.fields:
        for value in each.examples:
            _check_value(space, each, value)
        _check_effect(space, each)
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


def _check_fields(space: Space) -> None:
    """Check what the fields say of each other and of what stays the same."""
    if not space.fields:
        raise SpaceKeyError(
            "space",
            "[space] has no field: add one such as learning_rate = {low = 1e-4, high = 0.1}",
        )
    shared = {SAME_FIELDS.get(name, name) for name in (*space.settings, *space.changes)}
    earlier: dict[str, SweptField] = {}
    for each in space.fields:
        if each.name in shared:
            raise FieldError(each.name, f"{each.name} is given both above and in [space]")
        for other, label in each.when:
            known = earlier.get(SAME_FIELDS.get(other, other))
            if known is None or label not in known.labels:
                hint = _describe_choices(other, earlier)
                raise FieldError(each.name, f"{each.name}: when {other} = {label!r}: {hint}")
        earlier[each.name] = each


def _describe_choices(name: str, fields: Mapping[str, SweptField]) -> str:
    known = fields.get(SAME_FIELDS.get(name, name))
    if known is not None and known.choices:
        return f"the choices of {name} are {', '.join(known.labels)}"
    names = ", ".join(name for name, each in fields.items() if each.choices)
    hint = f"fields with choices above it are {names}" if names else "no field above it has choices"
    return f"{name} has a range; {hint}" if known else hint


def _check_shared(space: Space) -> None:
    """Check what all trials share, and find the key of an error."""
    try:
        space.describe_base()
        return
    except LenetError as caught:
        error = caught
    if _fails(replace(space, settings={}, changes={})):
        raise SpaceKeyError("network", str(error)) from error
    for key in space.settings:
        if not _fails(replace(space, settings=_leave_out(space.settings, key))):
            raise SpaceKeyError(key, str(error)) from error
    for key in space.changes:
        if not _fails(replace(space, changes=_leave_out(space.changes, key))):
            raise SpaceKeyError(key, str(error), "changes") from error
    raise SpecError(str(error)) from error


def _leave_out(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {other: value for other, value in values.items() if other != key}


def _fails(space: Space) -> bool:
    try:
        space.describe_base()
    except LenetError:
        return True
    return False


def _check_effect(space: Space, field: SweptField) -> None:
    """Check that a field's values make different networks beside the values of the others."""
    draw = random.Random(0)
    tried = 0
    for _ in range(_MAX_TRIED):
        outcomes = []
        others = _draw_others(space, field, draw)
        for value in field.examples:
            try:
                config = space.build_config(others | {field.name: value}, seed=0)
            except LenetError:
                break
            outcomes.append((config.spec, config.early_stopping))
        else:
            tried += 1
            if any(outcome != outcomes[0] for outcome in outcomes):
                return
    if tried and len(field.examples) > 1:
        text = f"{field.name} changes nothing: another field or [changes] sets the same value"
        raise FieldError(field.name, text)


def _draw_others(space: Space, field: SweptField, draw: random.Random) -> dict[str, Any]:
    """Draw values of the other fields as in a trial that has `field`."""
    needed = dict(field.when)
    values: dict[str, Any] = {}
    labels: dict[str, str] = {}
    for each in space.fields:
        if each.name == field.name:
            values[each.name] = None  # Its place: of two paths of one field the last one counts.
        if each.name == field.name or not each.is_active(labels):
            continue
        value = (
            each.decode(needed[each.name]) if each.name in needed else draw.choice(each.examples)
        )
        values[each.name] = value
        labels[each.name] = label_choice(value)
    return values
