"""Export to LiteRT (TensorFlow Lite), with floats or with integers of 8 bits."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.errors import LenetError
from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork
from lenet_tf.inference.export.registry import Format, LoadedExport, Tolerance
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.scratch import private_folder


def _write_floats(network: ExportNetwork, path: Path) -> None:
    with atomic_write(path) as file:
        file.write(_convert(network, is_quantized=False))


def _write_int8(network: ExportNetwork, path: Path) -> None:
    with atomic_write(path) as file:
        file.write(_convert(network, is_quantized=True))


def _convert(network: ExportNetwork, is_quantized: bool) -> bytes:
    import tensorflow as tf

    from lenet_tf.inference.export.graph import build_module, save_module

    module = build_module(network, takes_floats=is_quantized)
    with private_folder() as folder:
        # Only a SavedModel's names of input and output reach the file.
        save_module(module, folder / "model")
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "model"))
        if is_quantized:
            images = network.to_inputs(network.data.train_images).astype(np.float32)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ({INPUT: image[None]} for image in images)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            if network.preparation is not None:
                converter.inference_input_type = tf.uint8
        try:
            return converter.convert()
        except Exception as error:  # The converter's own types of errors have no common base.
            reason = str(error).strip().partition("\n")[0][:200]
            kind = "integers of 8 bits" if is_quantized else "LiteRT"
            raise LenetError(
                f"{network.title} has an operation that {kind} can't express ({reason}): choose"
                " another format"
            ) from error


def _load(path: Path, network: ExportNetwork) -> LoadedExport:
    name, interpreter_class = _find_interpreter()
    interpreter = interpreter_class(model_path=str(path), num_threads=1)
    (signature,) = interpreter.get_signature_list().values()
    runner = interpreter.get_signature_runner()
    (detail,) = runner.get_input_details().values()

    def compute(images: np.ndarray) -> np.ndarray:
        return runner(**{INPUT: images})[OUTPUT]

    return LoadedExport(
        name,
        compute,
        input_dtype=np.dtype(detail["dtype"]).name,
        input_shape=tuple(map(int, detail["shape"][1:])),
        input_name=signature["inputs"][0],
        output_name=signature["outputs"][0],
    )


def _find_interpreter() -> tuple[str, Any]:
    """Return the name of LiteRT's interpreter and its class."""
    if find_spec("ai_edge_litert") is not None:
        from importlib import import_module

        module = import_module("ai_edge_litert.interpreter")
        return f"ai-edge-litert {version('ai-edge-litert')}", module.Interpreter
    import tensorflow as tf

    return f"tf.lite of TensorFlow {tf.__version__}", tf.lite.Interpreter


FORMATS = {
    "litert": Format("litert", "LiteRT", ".tflite", _write_floats, _load),
    "int8": Format(
        "int8",
        "LiteRT with 8-bit integers",
        "-int8.tflite",
        _write_int8,
        _load,
        tolerance=Tolerance(None, changed=0.01, changed_errors=0.2, added_errors=0.005),
    ),
}
