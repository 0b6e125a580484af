"""The check of an export: its runtime's answers beside the network's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork
from lenet_tf.inference.export.registry import Format, LoadedExport

# The batch is dynamic: one image, seven, and the rest.
_BATCHES = (1, 7)


@dataclass(frozen=True)
class ExportCheck:
    """What an export answers, beside the network that it was made of.

    Attributes:
        runtime: What answered, such as `onnxruntime 1.23.2`.
        data: Name of the data set.
        images: Number of test images.
        largest_difference: Largest difference of a probability.
        changed_answers: Images whose most probable class differs, without near ties.
        near_ties: Images whose most probable class differs, but whose two most probable classes
            differ by less than twice the bound on differences.
        errors: Images that the export misclassifies.
        network_errors: Images that the network misclassifies.
    """

    runtime: str
    data: str
    images: int
    largest_difference: float
    changed_answers: int
    near_ties: int
    errors: int
    network_errors: int

    def describe(self) -> str:
        """Describe the result in one line."""
        return (
            f"{self.images:,} test images of {self.data} in {self.runtime}: largest difference"
            f" {self.largest_difference:.1e}, {self.changed_answers} changed"
            f" answer{'' if self.changed_answers == 1 else 's'},"
            f" {self.errors} misclassified ({self.network_errors} before)"
        )


def check_export(export_format: Format, network: ExportNetwork, path: Path) -> ExportCheck:
    """Check an export in its real runtime.

    Args:
        export_format: The format.
        network: What was exported.
        path: The file or folder.

    Returns:
        The result.

    Raises:
        RunError: If names, dtypes or shapes are others, or answers differ by more than the
            format's tolerance.
    """
    loaded = export_format.load(path, network)
    _check_interface(loaded, network)
    data, tolerance = network.data, export_format.tolerance
    expected = network.compute_probabilities(data.test_images)
    inputs = network.to_inputs(data.test_images)
    actual = compute_in_batches(loaded.compute, inputs)
    if actual.shape != expected.shape or actual.dtype != np.float32:
        raise RunError(
            f"{export_format.title} answers {actual.dtype} {actual.shape}, not float32"
            f" {expected.shape}: nothing was written"
        )
    differs = actual.argmax(axis=1) != expected.argmax(axis=1)
    top = np.sort(expected, axis=1)[:, -2:]
    is_tie = differs & (top[:, 1] - top[:, 0] < 2 * (tolerance.difference or 0.0))
    check = ExportCheck(
        runtime=loaded.runtime,
        data=data.name,
        images=len(inputs),
        # A NaN must not be smaller than the bound.
        largest_difference=float(np.nan_to_num(np.abs(actual - expected), nan=1.0).max()),
        changed_answers=int((differs & ~is_tie).sum()),
        near_ties=int(is_tie.sum()),
        errors=int((actual.argmax(axis=1) != data.test_labels).sum()),
        network_errors=int((expected.argmax(axis=1) != data.test_labels).sum()),
    )
    _check_tolerance(check, export_format)
    return check


def compute_in_batches(
    compute: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray
) -> np.ndarray:
    """Compute the probabilities of images in batches of several sizes.

    Args:
        compute: Computes those of a batch.
        inputs: Images.

    Returns:
        float32 (N, classes).
    """
    parts = np.split(inputs, np.cumsum(_BATCHES))
    return np.concatenate([compute(part) for part in parts if len(part)])


def _check_interface(loaded: LoadedExport, network: ExportNetwork) -> None:
    expected = (INPUT, network.input_dtype, network.image_shape, OUTPUT)
    actual = (loaded.input_name, loaded.input_dtype, loaded.input_shape, loaded.output_name)
    if loaded.input_dtype is not None and actual != expected:
        raise RunError(
            f"{loaded.runtime} reports the input and output {actual}, not {expected}: nothing was"
            " written"
        )


def _check_tolerance(check: ExportCheck, export_format: Format) -> None:
    tolerance = export_format.tolerance
    max_changed = int(
        tolerance.changed * check.images + tolerance.changed_errors * check.network_errors
    )
    max_errors = int(check.network_errors + tolerance.added_errors * check.images)
    is_far = tolerance.difference is not None and check.largest_difference > tolerance.difference
    if is_far or check.changed_answers > max_changed or check.errors > max_errors + check.near_ties:
        bounds = f"{max_changed} changed answers and {max_errors} misclassified"
        if tolerance.difference is not None:
            bounds = f"a difference of {tolerance.difference:.0e}, {bounds}"
        raise RunError(
            f"the {export_format.title} export answers differently from the network, so nothing"
            f" was written: {check.describe()}. The bounds are {bounds}"
        )
