"""Export to ONNX, checked with onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork
from lenet_tf.inference.export.registry import Format, LoadedExport
from lenet_tf.io.atomic import atomic_write
from lenet_tf.runtime.optional_packages import check_optional, import_optional

# The newest that runtimes of 2021 and later read; the operations need no newer one.
_OPSET = 15
_DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


def _check_packages() -> None:
    for name in ("onnx", "tf2onnx", "onnxruntime"):
        check_optional(name, "an export to ONNX", "export")


def _write(network: ExportNetwork, path: Path) -> None:
    onnx = import_optional("onnx", "an export to ONNX", "export")
    tf2onnx = import_optional("tf2onnx", "an export to ONNX", "export")
    from lenet_tf.inference.export.graph import build_module

    function = build_module(network).serve
    model, _ = tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, opset=_OPSET
    )
    graph = model.graph
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    graph.name, model.doc_string = network.title, f"{network.title}, exported by lenet_tf"
    onnx.helper.set_model_props(model, {"labels": "\n".join(network.labels)})
    onnx.checker.check_model(model, full_check=True)
    with atomic_write(path) as file:
        file.write(model.SerializeToString())


def _load(path: Path, network: ExportNetwork) -> LoadedExport:
    runtime = import_optional("onnxruntime", "the check of an ONNX file", "export")
    options = runtime.SessionOptions()
    # These networks are too small for several.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (model_input,), (output,) = session.get_inputs(), session.get_outputs()

    def compute(images: np.ndarray) -> np.ndarray:
        return session.run([OUTPUT], {INPUT: images})[0]

    return LoadedExport(
        f"onnxruntime {runtime.__version__}",
        compute,
        input_dtype=_DTYPES.get(model_input.type, model_input.type),
        input_shape=tuple(model_input.shape[1:]),
        input_name=model_input.name,
        output_name=output.name,
    )


FORMATS = {
    "onnx": Format(
        "onnx",
        "ONNX",
        ".onnx",
        _write,
        _load,
        _check_packages,
        packages=("tensorflow", "tf2onnx", "onnx", "onnxruntime"),
    )
}
