"""Records the kernels of the first convolution after each epoch of a run."""

from __future__ import annotations

import os

import keras
import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.models.layers import TableConvolution
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs.kernel_history import (
    KernelHistory,
    find_recorded_layer,
    read_kernel_file,
    write_kernel_file,
)
from lenet_tf.runs.run_folder import KERNELS
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime.output import print_line
from lenet_tf.text import escape_controls
from lenet_tf.training.run_errors import translate_write_errors


class KernelRecorder:
    """Records the kernels of a model's first convolution, where `find_recorded_layer` finds one.

    Args:
        record: The run.
        model: The model that is trained.
        epochs: Number of finished epochs. Their record continues if there is one.
        quiet: Print nothing.

    Raises:
        WriteError: The file cannot be written.
    """

    def __init__(self, record: RunRecord, model: LeNet, epochs: int, quiet: bool) -> None:
        self._path, self._model = record.path / KERNELS, model
        self._layer = find_recorded_layer(model.spec)
        self._history: KernelHistory | None = None
        if epochs and self._layer is not None:
            self._history = self._read_history(quiet)
            # A run that started before kernels were recorded has none.
            self._layer = self._layer if self._history is not None else None
        self.record(epochs)

    def record(self, epoch: int) -> None:
        """Record the model's kernels as those after an epoch, which replace later ones.

        Args:
            epoch: Number of finished epochs.

        Raises:
            WriteError: The file cannot be written.
        """
        if self._layer is None:
            return
        name, old = self._layer.row.name, self._history
        kernels = _read_kernels(self._model.get_layer(name))
        # Without a loss that is NaN, only custom callbacks cause it.
        if not np.isfinite(kernels).all():
            return
        if old is None:
            new = KernelHistory(name, (epoch,), kernels[None])
        else:
            new = old.add(epoch, kernels)
            if new.epochs == old.epochs and np.array_equal(new.kernels, old.kernels):
                return
        with translate_write_errors():
            write_kernel_file(self._path, new)
        self._history = new

    def _read_history(self, quiet: bool) -> KernelHistory | None:
        if not os.path.lexists(self._path):
            return None
        try:
            return read_kernel_file(self._path, self._model.spec)
        except RunError as error:
            if not quiet:
                print_line(f"{escape_controls(error)}; kernels are not recorded any more")
            return None


def _read_kernels(layer: keras.layers.Layer) -> np.ndarray:
    kernels = layer.kernel
    if isinstance(layer, TableConvolution):
        kernels = layer.expand_kernel(kernels)
    return np.array(keras.ops.convert_to_numpy(kernels), np.float32)
