"""The formats of `lenet_tf.export`. To add one, write its module and add a row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

from lenet_tf.errors import LenetError, suggest_name
from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork

# Format -> its module, which defines FORMATS.
_MODULES = {
    "onnx": "onnx_format",
    "litert": "litert_format",
    "int8": "litert_format",
    "saved_model": "saved_model_format",
    "openvino": "openvino_format",
    "hub": "hub_format",
    "c": "c_format",
}
FORMAT_NAMES = tuple(_MODULES)


@dataclass(frozen=True)
class LoadedExport:
    """An export as its runtime has loaded it.

    Attributes:
        runtime: The runtime and its version, such as `onnxruntime 1.23.2`.
        compute: Computes the probabilities, float32 (N, classes), of a batch of any size.
        input_dtype: Dtype of the input that the runtime reports; None if it has no such notion.
        input_shape: Shape of one image of the input that the runtime reports, likewise.
        input_name: Name of the input that the runtime reports.
        output_name: Name of the output that the runtime reports.
    """

    runtime: str
    compute: Callable[[np.ndarray], np.ndarray]
    input_dtype: str | None = None
    input_shape: tuple[int, ...] | None = None
    input_name: str = INPUT
    output_name: str = OUTPUT


@dataclass(frozen=True)
class Tolerance:
    """How far an export may be from the network.

    Attributes:
        difference: Largest difference of a probability; None bounds none.
        changed: Share of the images whose most probable class may differ, beside ties.
        changed_errors: As many more may differ, as a share of those that the network misclassifies.
        added_errors: Share of the images that may be misclassified more.
    """

    difference: float | None = 1e-4
    changed: float = 0.0
    changed_errors: float = 0.0
    added_errors: float = 0.0


@dataclass(frozen=True)
class Format:
    """A format that networks can be exported to.

    Attributes:
        name: Its name.
        title: Its name as people write it.
        suffix: How its default file name ends. A folder has a suffix without a dot.
        write: Writes a network to a path that doesn't exist yet, and may write files beside it.
        load: Loads what was written in the real runtime.
        check_packages: Raises `LenetError` if a package is missing.
        takes_prepared: Whether it can take prepared images.
        tolerance: How far it may be from the network.
        has_labels: Whether `labels.txt` is written; False if it holds the classes' names itself.
        packages: Packages whose versions are recorded, by their names in package indexes.
    """

    name: str
    title: str
    suffix: str
    write: Callable[[ExportNetwork, Path], None]
    load: Callable[[Path, ExportNetwork], LoadedExport]
    check_packages: Callable[[], None] = lambda: None
    takes_prepared: bool = True
    tolerance: Tolerance = field(default_factory=Tolerance)
    has_labels: bool = True
    packages: tuple[str, ...] = ("tensorflow",)

    @property
    def is_folder(self) -> bool:
        """Whether an export is a folder, not a file."""
        return not self.suffix.startswith(".") and "." not in self.suffix


def get_format(name: str) -> Format:
    """Find a format.

    Args:
        name: One of `FORMAT_NAMES`.

    Returns:
        The format.

    Raises:
        LenetError: If there is no such format.
    """
    if not isinstance(name, str) or name not in _MODULES:
        known = f"choose from {', '.join(FORMAT_NAMES)}"
        hint = suggest_name(_SYNONYMS.get(str(name).lower(), str(name)), FORMAT_NAMES, known)
        raise LenetError(f"unknown format {str(name)[:60]!r}: {hint}")
    formats: Mapping[str, Format] = import_module(
        f"lenet_tf.inference.export.{_MODULES[name]}"
    ).FORMATS
    return formats[name]


# What other libraries call the formats.
_SYNONYMS = {
    "tflite": "litert",
    "lite": "litert",
    "tf_saved_model": "saved_model",
    "savedmodel": "saved_model",
    "pb": "saved_model",
    "ov": "openvino",
    "xml": "openvino",
    "quantized": "int8",
    "uint8": "int8",
    "huggingface": "hub",
    "hf": "hub",
    "safetensors": "hub",
    "cpp": "c",
    "c++": "c",
    "micro": "c",
}
