"""Keras' settings: its file, its variables and those of this process."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lenet_tf.errors import LenetError

# The variable that names the folder of keras.json.
HOME = "KERAS_HOME"
DEFAULTS: Mapping[str, Any] = {
    "backend": "tensorflow",
    "floatx": "float32",
    "image_data_format": "channels_last",
    "epsilon": 1e-07,
    "nnx_enabled": False,
}
_OTHER_BACKENDS = ("jax", "torch", "numpy", "openvino")
_MAX_BYTES = 1 << 20


def check_keras(needs_tensorflow: bool = True) -> None:
    """Check that Keras' settings are those with which a `LeNet` works.

    If Keras is not imported yet, its variables and its file are checked instead: some values make
    the import fail.

    Args:
        needs_tensorflow: Whether another backend than TensorFlow is refused too.

    Raises:
        LenetError: If a setting cannot work. The message names it and the remedy.
    """
    if needs_tensorflow or "keras" not in sys.modules:
        _check_legacy_keras()
    if "keras" in sys.modules:
        _check_imported_keras(needs_tensorflow)
    else:
        _check_keras_environment()


def _check_imported_keras(needs_tensorflow: bool) -> None:
    import keras

    config = keras.config
    found = {
        "backend": config.backend() if needs_tensorflow else DEFAULTS["backend"],
        "floatx": config.floatx(),
        "image_data_format": config.image_data_format(),
    }
    for name, value in found.items():
        if value != DEFAULTS[name]:
            raise _refusal(name, value, "this process")
    # Such a run would count as finished.
    for name in ("max_epochs", "max_steps_per_epoch"):
        value = getattr(config, name, lambda: None)()
        if value is not None:
            raise LenetError(
                f"Keras' {name} is {value}, which ends each fit early: unset"
                f" KERAS_{name.upper()}, or call keras.config.set_{name}(None)"
            )


def _check_keras_environment() -> None:
    backend = os.environ.get("KERAS_BACKEND")
    if _is_on("KERAS_NNX_ENABLED") and not _is_installed("flax"):
        raise LenetError("KERAS_NNX_ENABLED needs flax, which is not installed: unset it")
    path = find_keras_json()
    values = read_keras_json(path)
    for name in ("floatx", "image_data_format"):
        if name in values and values[name] != DEFAULTS[name]:
            raise _refusal(name, values[name], str(path))
    if not isinstance(values.get("epsilon", 0.5), float):
        raise _refusal("epsilon", values["epsilon"], str(path))
    source = str(path) if not backend else "KERAS_BACKEND"
    backend = backend or values.get("backend", DEFAULTS["backend"])
    if backend != DEFAULTS["backend"] and not (
        backend in _OTHER_BACKENDS and _is_installed(backend)
    ):
        raise _refusal("backend", backend, source)


def check_warnings() -> None:
    """Check that a deprecation is no error: TensorFlow and Keras warn of some while they train.

    Raises:
        LenetError: If PYTHONWARNINGS, `-W` or a filter of the program makes it one.
    """
    for action, message, category, module, _ in warnings.filters:
        if message is None and module is None and issubclass(DeprecationWarning, category):
            if action == "error":
                raise LenetError(
                    "warnings are errors in this process (PYTHONWARNINGS=error or -W error), and"
                    " TensorFlow warns while it trains: add -W default::DeprecationWarning"
                )
            return


def _check_legacy_keras() -> None:
    # TensorBoard's plugins use the Keras that TensorFlow then looks for.
    if _is_on("TF_USE_LEGACY_KERAS") and not _is_installed("tf_keras"):
        raise LenetError(
            "TF_USE_LEGACY_KERAS asks for Keras 2 (tf_keras), which is not installed: unset it"
            " before TensorFlow is imported"
        )


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("true", "1")


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


def _refusal(name: str, value: Any, source: str) -> LenetError:
    wanted = DEFAULTS[name]
    remedies = {
        "backend": "set KERAS_BACKEND=tensorflow before Keras is imported",
        "floatx": 'call keras.config.set_floatx("float32")',
        "image_data_format": 'call keras.config.set_image_data_format("channels_last")',
    }
    remedy = remedies.get(name, "remove it from that file")
    if source.endswith("keras.json"):
        remedy = f"change it in {source}, which Keras reads when it is imported"
    shown = repr(value)[:80]
    return LenetError(
        f"Keras' {name} is {shown} in {source}, and lenet_tf needs {wanted}: {remedy}"
    )


def find_keras_json() -> Path:
    """Return the file that Keras will read."""
    home = os.environ.get(HOME)
    if home is None:
        user = os.path.expanduser("~")
        home = os.path.join(user if os.access(user, os.W_OK) else "/tmp", ".keras")
    return Path(os.path.expanduser(home), "keras.json")


def read_keras_json(path: Path) -> dict[str, Any]:
    """Read Keras' file of settings as far as Keras does: a file that is no JSON is ignored.

    Raises:
        LenetError: If the file makes the import of Keras fail.
    """
    if not os.path.exists(path):
        return {}
    # Attack: a FIFO, at which the import of Keras waits forever.
    if not path.is_file():
        raise LenetError(f"{path} is not a file, and Keras reads it: remove it")
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            values = json.loads(file.read(_MAX_BYTES))
    except (ValueError, RecursionError):
        return {}
    except OSError as error:
        raise LenetError(f"{path} cannot be read, and Keras reads it: {error.strerror}") from error
    if not isinstance(values, dict):
        raise LenetError(f"{path} holds no JSON object, and Keras needs one: remove it")
    return values
