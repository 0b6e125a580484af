"""Settings of the environment that other packages read, and on which no result may depend.

A command pins them for its process. In Python, where they are the user's,
`lenet_tf.runtime.keras_settings` refuses what cannot work.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lenet_tf.errors import LenetError
from lenet_tf.runtime.keras_settings import DEFAULTS, HOME, find_keras_json, read_keras_json
from lenet_tf.runtime.threads import find_invalid_threads

# Variables that a command removes, or sets to what is given here.
_PINNED: Mapping[str, str | None] = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_NNX_ENABLED": None,
    # Keras would end each fit after so many epochs or steps, without a word.
    "KERAS_MAX_EPOCHS": None,
    "KERAS_MAX_STEPS_PER_EPOCH": None,
    # TensorBoard's plugins need the Keras that TensorFlow brings.
    "TF_USE_LEGACY_KERAS": None,
    # Each changes how TensorFlow runs every graph.
    "TF2_BEHAVIOR": None,
    "TF_ENABLE_CONTROL_FLOW_V2": None,
    "TF_ENABLE_WHILE_V2": None,
    "TF_ENABLE_COND_V2": None,
    "TF_ENABLE_TENSOR_ARRAY_V2": None,
    "TF_FUNCTION_JIT_COMPILE_DEFAULT": None,
    "TF_JIT_COMPILE_REWRITE": None,
    "TF_XLA_FLAGS": None,
    "AUTOGRAPH_STRICT_CONVERSION": None,
    # Nothing opens a window.
    "MPLBACKEND": "agg",
    "MATPLOTLIBRC": None,
}
# XLA finds CUDA there, which no result depends on; its other flags change or end computations.
_CUDA_FOLDER = "--xla_gpu_cuda_data_dir="
_PINNED_PREFIXES = ("TQDM_",)
# The file that matplotlib reads first.
_MATPLOTLIBRC = Path("matplotlibrc")
_MAX_BYTES = 1 << 20


class Override(NamedTuple):
    """A setting that a command does not follow.

    Attributes:
        name: The variable or file.
        value: What it says.
        consequence: What applies instead.
    """

    name: str
    value: str
    consequence: str

    @property
    def is_harmless(self) -> bool:
        """Whether lenet_tf works with it in Python too."""
        return self.name.startswith(_PINNED_PREFIXES) or "matplotlibrc" in self.name.lower()


_overrides: dict[str, Override] = {}


def pin_settings() -> None:
    """Pin the settings of this process. Call this before Keras or matplotlib is imported.

    Raises:
        LenetError: If a file of settings cannot be replaced and makes a package fail.
    """
    _check_matplotlibrc()
    _note_keras_json()
    names = [name for name in os.environ if name.startswith(_PINNED_PREFIXES)]
    settings = {**_PINNED, "XLA_FLAGS": _read_cuda_folder(), **dict.fromkeys(names)}
    for name, pinned in settings.items():
        value = os.environ.get(name)
        if value not in (None, "", pinned):
            consequence = "ignored" if pinned is None else f"{pinned} is used"
            _overrides.setdefault(name, Override(name, str(value), consequence))
        if pinned is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = pinned
    for name, value in find_invalid_threads().items():
        _overrides.setdefault(name, Override(name, value, "ignored"))
        del os.environ[name]
    # No file can lie below a device, so that Keras finds no keras.json and writes none.
    os.environ[HOME] = os.devnull
    _keep_warnings_harmless()


def _read_cuda_folder() -> str | None:
    """Return the only flag of XLA that a command follows."""
    flags = os.environ.get("XLA_FLAGS", "").split()
    return next((flag for flag in reversed(flags) if flag.startswith(_CUDA_FOLDER)), None)


def are_settings_pinned() -> bool:
    """Return whether this process belongs to a command, or to one that a command has started."""
    return os.environ.get(HOME) == os.devnull


def list_overrides() -> list[Override]:
    """List the settings of the user that `pin_settings` has overridden, sorted by name."""
    return [_overrides[name] for name in sorted(_overrides)]


def _note_keras_json() -> None:
    """Note what the user's keras.json changes, unless this process has been pinned before."""
    if are_settings_pinned():
        return
    path = find_keras_json()
    try:
        values = read_keras_json(path)
    except LenetError as error:
        _overrides.setdefault(str(path), Override(str(path), str(error), "it is not read"))
        return
    different = {
        name: values[name]
        for name, value in DEFAULTS.items()
        if name in values and values[name] != value
    }
    if different:
        shown = ", ".join(f"{name} {value!r:.40}" for name, value in different.items())
        _overrides.setdefault(str(path), Override(str(path), shown, "it is not read"))


def _check_matplotlibrc() -> None:
    """Refuse a file in the current folder with which matplotlib cannot be imported.

    Figures are drawn with matplotlib's defaults, whatever a readable file says.
    """
    if not os.path.lexists(_MATPLOTLIBRC) or _MATPLOTLIBRC.is_dir():
        return
    remedy = "matplotlib reads it: rename it, or call lenet-tf in another folder"
    # Attack: a FIFO or a device, at which the import of matplotlib waits forever.
    if not _MATPLOTLIBRC.is_file():
        if os.path.exists(_MATPLOTLIBRC):
            raise LenetError(f"{_MATPLOTLIBRC} in this folder is not a file, and {remedy}")
        return
    try:
        if _MATPLOTLIBRC.stat().st_size > _MAX_BYTES:
            raise ValueError("it is too large")
        _MATPLOTLIBRC.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LenetError(
            f"{_MATPLOTLIBRC} in this folder cannot be read ({reason}), and {remedy}"
        ) from error
    override = Override(f"./{_MATPLOTLIBRC}", "styles of figures", "matplotlib's defaults are used")
    _overrides.setdefault(override.name, override)


def _keep_warnings_harmless() -> None:
    """Print what PYTHONWARNINGS=error or -W error would raise in the packages used here."""
    options = [option for option in sys.warnoptions if option.split(":")[0] == "error"]
    if not options:
        return
    kept = [entry for entry in warnings.filters if entry[0] != "error"]
    # Makes Python forget which filter it found before.
    warnings.resetwarnings()
    warnings.filters[:] = kept  # type: ignore[index]
    value = ", ".join(options)
    override = Override("PYTHONWARNINGS", value, "warnings are printed, not raised")
    _overrides.setdefault(override.name, override)
