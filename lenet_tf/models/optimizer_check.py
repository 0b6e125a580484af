"""Compare a model's optimizer with what its file says of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


def find_optimizer_difference(model: Any) -> str:
    """Find what a model's optimizer has that its file would not say.

    Args:
        model: A `LeNet`.

    Returns:
        The difference, such as `its optimizer was replaced after compile()`, or an empty string.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return ""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    # Keras gives these no place in an optimizer's config, and no public name.
    if getattr(inner, "_exclude_from_weight_decay", None) or getattr(
        inner, "_exclude_from_weight_decay_pattern", None
    ):
        return "its optimizer excludes weights from weight decay, which no file holds"
    # What `compile` was given, which is what Keras saves. `get_compile_config` can't be asked while
    # Keras saves: it would take the optimizer for a shared object.
    saved = model._compile_config.config["optimizer"]
    if isinstance(saved, str):
        is_same = _list_settings(inner) == _list_settings(keras.optimizers.get(saved))
    else:
        is_same = saved is optimizer or saved is inner
    return "" if is_same else "its optimizer was replaced or changed after compile()"


@contextlib.contextmanager
def keep_compile_config(model: Any) -> Iterator[None]:
    """Keep what `compile` was given inside the block: Keras loses the optimizer in an HDF5 file.

    Args:
        model: A `LeNet`.
    """
    compiled = getattr(model, "_compile_config", None)
    before = {} if compiled is None else dict(compiled.config)
    try:
        yield
    finally:
        if compiled is not None:
            compiled.config.update(before)


def has_other_weights(model: Any) -> bool:
    """Return whether a built optimizer keeps state for other weights than those it trains.

    Args:
        model: A compiled `LeNet`, some of whose layers may have been frozen or unfrozen.
    """
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    known = {id(weight) for weight in inner._trainable_variables}
    return known != {id(weight) for weight in model.trainable_variables}


def _list_settings(optimizer: keras.optimizers.Optimizer) -> tuple[type, dict[str, Any]]:
    """Return an optimizer's class and settings; its learning rate is a weight of the file."""
    config = optimizer.get_config()
    kept = {name: value for name, value in config.items() if name not in ("name", "learning_rate")}
    return type(optimizer), kept
