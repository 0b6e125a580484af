"""The kernels of a network's first convolution over the epochs of a run: kernels.npz."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.npy import read_npz
from lenet_tf.runs.run_folder import KERNELS, Run
from lenet_tf.runs.run_record import RunRecord, read_run
from lenet_tf.specs import Spec
from lenet_tf.specs.layer_facts import LayerFacts
from lenet_tf.specs.rows import as_pair
from lenet_tf.specs.rows_1998 import TableConvolution
from lenet_tf.specs.rows_standard import Convolution

# The most values of one epoch, of all epochs (4 MB), and the most epochs.
MAX_EPOCH_VALUES, MAX_VALUES, MAX_RECORDED_EPOCHS = 20_000, 1_000_000, 200
# With the epochs' numbers and the headers of the archive.
_MAX_BYTES = 4 * MAX_VALUES + 8 * MAX_RECORDED_EPOCHS + 4_096
_NAMES = ("epochs", "kernels")


@dataclass(frozen=True)
class KernelHistory:
    """The kernels of a network's first convolution over the epochs of a run.

    Attributes:
        layer: The name of the convolution, such as `C1`.
        epochs: Numbers of finished epochs, rising; 0 is before training.
        kernels: float32 (epochs, height, width, input maps, filters). Where a table leaves out a
            connection, the values are 0.
    """

    layer: str
    epochs: tuple[int, ...]
    kernels: np.ndarray

    def select(self, epochs: int) -> KernelHistory:
        """Select epochs that are spread evenly, the first and the last among them.

        Args:
            epochs: The most epochs to select, at least 2.
        """
        count = len(self.epochs)
        indices = np.unique(np.linspace(0, count - 1, min(count, epochs)).round().astype(int))
        return KernelHistory(
            self.layer, tuple(self.epochs[index] for index in indices), self.kernels[indices]
        )

    def add(self, epoch: int, kernels: np.ndarray) -> KernelHistory:
        """Add an epoch, instead of itself and later ones, and thin out those of a long run.

        Args:
            epoch: Its number.
            kernels: float32 (height, width, input maps, filters).
        """
        stride = choose_stride(epoch, kernels.size)
        kept = [
            index for index, each in enumerate(self.epochs) if each < epoch and each % stride == 0
        ]
        return KernelHistory(
            self.layer,
            (*(self.epochs[index] for index in kept), epoch),
            np.concatenate([self.kernels[kept], kernels[None]]),
        )


def find_recorded_layer(spec: Spec) -> LayerFacts | None:
    """Find the layer whose kernels a run records.

    Args:
        spec: The network.

    Returns:
        The first convolution; None if there is none, or its kernels have more than
        `MAX_EPOCH_VALUES` values.
    """
    kinds = (Convolution, TableConvolution)
    found = next((facts for facts in spec.layers if isinstance(facts.row, kinds)), None)
    return None if found is None or prod(get_kernel_shape(found)) > MAX_EPOCH_VALUES else found


def get_kernel_shape(layer: LayerFacts) -> tuple[int, int, int, int]:
    """Return (height, width, input maps, filters) of a convolution's kernels."""
    assert isinstance(layer.row, Convolution | TableConvolution)
    return (*as_pair(layer.row.kernel), layer.input_shape[-1], layer.output_shape[-1])


def choose_stride(last_epoch: int, values: int) -> int:
    """Return the steps between recorded epochs, so that a long run stays within the limits.

    Args:
        last_epoch: The last epoch, which is recorded too.
        values: Values of one epoch.
    """
    limit, stride = min(MAX_RECORDED_EPOCHS, MAX_VALUES // values), 1
    # Epoch 0, each multiple of the stride, and the last epoch if it is none.
    while 1 + -(-last_epoch // stride) > limit:
        stride *= 2
    return stride


def read_kernel_history(run: Run | RunRecord | str | Path) -> KernelHistory | None:
    """Read the kernels that a run recorded.

    Args:
        run: A run, its record or its folder.

    Returns:
        The kernels; None if the run recorded none.

    Raises:
        RunError: The folder is no run, or the file is damaged.
        SpecError: The run's network is invalid.
    """
    folder = run.path if isinstance(run, Run) else run
    record = folder if isinstance(folder, RunRecord) else read_run(folder)
    path = record.path / KERNELS
    if not os.path.lexists(path):
        return None
    return read_kernel_file(path, record.spec)


def read_kernel_file(path: Path, spec: Spec) -> KernelHistory | None:
    """Read a file of kernels.

    Args:
        path: A file that `write_kernel_file` wrote.
        spec: The network whose kernels it holds.

    Returns:
        The kernels; None if a run of the network records none.

    Raises:
        RunError: The file is damaged, or belongs to another network.
    """
    layer = find_recorded_layer(spec)
    if layer is None:
        return None
    try:
        arrays, names = read_npz(path, _NAMES, "if", _MAX_BYTES, follow_links=False)
        if sorted(names) != sorted(_NAMES):
            raise ValueError(f"it must hold the arrays {' and '.join(_NAMES)}")
        epochs, kernels = (arrays[name] for name in _NAMES)
        _check_epochs(epochs, spec.recipe.epochs)
        _check_kernels(kernels, (len(epochs), *get_kernel_shape(layer)))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RunError(f"{path} is not usable: {reason}") from error
    return KernelHistory(layer.row.name, tuple(epochs.tolist()), np.ascontiguousarray(kernels))


def _check_epochs(epochs: np.ndarray, planned: int) -> None:
    if epochs.dtype != np.int64 or epochs.ndim != 1 or len(epochs) > MAX_RECORDED_EPOCHS:
        raise ValueError(f"epochs must be at most {MAX_RECORDED_EPOCHS} whole numbers")
    if epochs[0] < 0 or epochs[-1] > planned or (epochs[1:] <= epochs[:-1]).any():
        raise ValueError(f"epochs must rise from 0 to {planned}")


def _check_kernels(kernels: np.ndarray, shape: tuple[int, ...]) -> None:
    if kernels.dtype != np.float32 or kernels.shape != shape:
        raise ValueError(f"kernels must be float32 of shape {'×'.join(map(str, shape))}")
    if not np.isfinite(kernels).all():
        raise ValueError("kernels must be finite")


def write_kernel_file(path: Path, history: KernelHistory) -> None:
    """Write a file of kernels, whole or not at all. Equal histories give equal bytes.

    Raises:
        OSError: The file cannot be written.
    """
    with atomic_write(path) as file:
        np.savez(file, epochs=np.array(history.epochs, np.int64), kernels=history.kernels)
