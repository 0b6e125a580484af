"""Starts TensorFlow and Keras faster: half of their import is other packages and the collector."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterable, Iterator
from typing import Any

# Keras and TensorFlow load these if they are installed, for features that no command uses: data
# frames, scikit-learn's interface, galleries and sparse arrays.
OPTIONAL_PACKAGES = ("matplotlib", "matplotlib.pyplot", "pandas", "scipy", "sklearn")


@contextlib.contextmanager
def hide_packages(names: Iterable[str]) -> Iterator[None]:
    """Make packages look missing to the modules that are imported inside the block.

    Such a module never uses them later either, so this suits only processes that run no code of
    the user. Packages that are loaded already stay visible.

    Args:
        names: Names of packages or modules.

    Yields:
        Nothing. After the block, the packages can be imported.
    """
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    # Python raises ModuleNotFoundError for a module that is None.
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            if modules.get(name, ...) is None:
                del modules[name]


@contextlib.contextmanager
def pause_garbage_collection(keeps_modules: bool) -> Iterator[None]:
    """Turn the garbage collector off inside the block, which makes a million lasting objects.

    Args:
        keeps_modules: Whether later collections skip all objects that exist at the end.

    Yields:
        Nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if keeps_modules:
            gc.freeze()
        if was_enabled:
            gc.enable()
