"""Scikit-learn, which only the extra `paper` installs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lenet_tf.runtime.optional_packages import check_optional


def import_sklearn(name: str) -> Any:
    """Import a module of scikit-learn.

    Args:
        name: The module below `sklearn`, such as `svm`.

    Returns:
        The module.

    Raises:
        LenetError: If it is missing; the message has the command that installs it.
    """
    check_optional("sklearn", "a classical classifier", "paper")
    return import_module(f"sklearn.{name}")
