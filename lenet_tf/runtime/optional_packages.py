"""Packages that only an extra of lenet_tf installs."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lenet_tf.errors import LenetError
from lenet_tf.runtime.startup_log import hide_log


def import_optional(name: str, purpose: str, extra: str) -> Any:
    """Import a module of an optional package, without what it prints.

    Args:
        name: The module, without a dot.
        purpose: What needs it, in a few words.
        extra: The extra of lenet_tf that installs it.

    Returns:
        The module.

    Raises:
        LenetError: If it is missing; the message has the command that installs it.

    Example:
        >>> import_optional("json", "an example", "dev").loads("[1]")
        [1]
    """
    check_optional(name, purpose, extra)
    try:
        with hide_log():
            return import_module(name)
    except ImportError as error:
        raise _missing(name, purpose, extra, f"can't be loaded ({error})") from error


def check_optional(name: str, purpose: str, extra: str) -> None:
    """Raise `LenetError`, as `import_optional`, if a module is missing, without importing it.

    Args:
        name: The module, without a dot.
        purpose: As in `import_optional`.
        extra: As in `import_optional`.
    """
    if find_spec(name) is None:
        raise _missing(name, purpose, extra, "is not installed")


def _missing(name: str, purpose: str, extra: str, reason: str) -> LenetError:
    return LenetError(
        f"{purpose} needs the package {name}, which {reason}: run pip install 'lenet_tf[{extra}]'"
    )
