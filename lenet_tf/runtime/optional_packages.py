"""Packages that only an extra of lenet_tf installs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lenet_tf.errors import LenetError
from lenet_tf.runtime.startup_log import hide_log


def import_optional(name: str, purpose: str, extra: str) -> Any:
    """Import a module of an optional package, without what it prints.

    Args:
        name: The module.
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
    try:
        with hide_log():
            return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        reason = (
            f"the package {package}, which is not installed"
            if isinstance(error, ModuleNotFoundError) and error.name == package
            else f"the package {package}, which can't be loaded ({error})"
        )
        raise LenetError(
            f"{purpose} needs {reason}: run pip install 'lenet_tf[{extra}]'"
        ) from error
