"""What the page knows of a filter's values over the epochs of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenet_tf.errors import LenetError
from lenet_tf.inference.page.packed_arrays import pack_arrays
from lenet_tf.pretrained.presets import MAX_PRESET_EPOCHS, Preset
from lenet_tf.runs.kernel_history import read_kernel_history
from lenet_tf.runs.run_record import RunRecord


def describe_kernel_history(source: Preset | RunRecord) -> dict[str, Any] | None:
    """Describe the kernels of a network's first convolution over the epochs of its run.

    Args:
        source: A preset, or the record of a run.

    Returns:
        `layer`, `epochs` and `kernels`: one packed float32 array (epochs, height, width, input
        maps, filters) of up to 16 epochs that are spread evenly. None if nothing is recorded.

    Raises:
        RunError: If what is recorded is damaged.
    """
    if isinstance(source, Preset):
        history = source.read_kernel_history()
    else:
        history = read_kernel_history(source)
    if history is None:
        return None
    chosen = history.select(MAX_PRESET_EPOCHS)
    return {
        "layer": chosen.layer,
        "epochs": list(chosen.epochs),
        "kernels": pack_arrays([chosen.kernels]),
    }


def describe_kernel_histories(
    sources: Mapping[str, Preset | RunRecord | None],
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Describe the kernels of several networks, as far as they are recorded.

    Args:
        sources: Where each network comes from, by the name that the page shows; None for one that
            is no preset and has no run.

    Returns:
        The descriptions by name, or None if there are none; and a note for each damaged file.
    """
    described, notes = {}, []
    for name, source in sources.items():
        try:
            history = None if source is None else describe_kernel_history(source)
        except LenetError as error:
            notes.append(f"{error}. The page shows no kernels over the epochs of {name}.")
            continue
        if history is not None:
            described[name] = history
    return described or None, tuple(notes)
