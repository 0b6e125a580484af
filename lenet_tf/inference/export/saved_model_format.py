"""Export to TensorFlow's SavedModel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork
from lenet_tf.inference.export.registry import Format, LoadedExport


def _write(network: ExportNetwork, path: Path) -> None:
    from lenet_tf.inference.export.graph import build_module, save_module

    save_module(build_module(network), path)


def _load(path: Path, network: ExportNetwork) -> LoadedExport:
    import tensorflow as tf

    # The model lives as long as its function.
    model = tf.saved_model.load(str(path))
    function = model.signatures[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY]
    ((name, spec),) = function.structured_input_signature[1].items()

    def compute(images: np.ndarray) -> np.ndarray:
        return function(**{INPUT: tf.constant(images)})[OUTPUT].numpy()

    compute.model = model  # type: ignore[attr-defined]
    return LoadedExport(
        f"TensorFlow {tf.__version__}",
        compute,
        input_dtype=spec.dtype.name,
        input_shape=tuple(spec.shape[1:]),
        input_name=name,
        output_name=next(iter(function.structured_outputs)),
    )


FORMATS = {
    "saved_model": Format("saved_model", "TensorFlow SavedModel", "-saved_model", _write, _load)
}
