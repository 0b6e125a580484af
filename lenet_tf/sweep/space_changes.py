"""How a space differs from the one that a study was started with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs.validators import show_value


def describe_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Name what differs between two results of `Space.to_dict`, in words.

    Example:
        >>> from lenet_tf.sweep.space_changes import describe_changes
        >>> describe_changes({"objective": "loss"}, {"objective": "error"})
        "objective was 'loss' and is 'error'"
    """
    return "; ".join(_list_changes(old, new))


def _list_changes(old: Mapping[str, Any], new: Mapping[str, Any], parents: str = "") -> list[str]:
    changes: list[str] = []
    for name in [*old, *(name for name in new if name not in old)]:
        before, after, path = old.get(name), new.get(name), f"{parents}{name}"
        if before == after:
            continue
        if before is None or after is None:
            changes.append(f"{path} was {_show(before)} and is {_show(after)}")
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            changes += _list_changes(before, after, f"{path}: ")
        else:
            changes.append(f"{path} was {_show(before)} and is {_show(after)}")
    return changes


def _show(value: Any) -> str:
    return "not given" if value is None else show_value(value)


def refuse_changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse changes after which trials can't be compared, whoever asks for them.

    Args:
        name: The study's name.
        old: The recorded space.
        new: The space of the file.

    Raises:
        SpecError: Something else than ranges, new fields, the sampler or the pruner has changed.
    """
    free = ("space", "sampler", "pruner")
    fixed = [{key: value for key, value in each.items() if key not in free} for each in (old, new)]
    if fixed[0] != fixed[1]:
        raise SpecError(
            f"the trials of {name} can't be compared with new ones: {describe_changes(*fixed)}."
            " Choose another --name"
        )
    for field, before in old["space"].items():
        after = new["space"].get(field)
        if after is None:
            continue
        kind = "choices" if "choices" in before else "log"
        if before.get(kind) != after.get(kind) or ("choices" in before) != ("choices" in after):
            raise SpecError(
                f"the {kind} of {field} can't change within one sweep: choose another --name"
            )
