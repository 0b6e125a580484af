"""Export to OpenVINO's intermediate representation: an .xml and a .bin file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lenet_tf.inference.export.network import OUTPUT, ExportNetwork
from lenet_tf.inference.export.registry import Format, LoadedExport
from lenet_tf.io.scratch import private_folder
from lenet_tf.runtime.optional_packages import check_optional, import_optional

_DTYPES = {"u8": "uint8", "f32": "float32"}


def _check_packages() -> None:
    check_optional("openvino", "an export to OpenVINO", "openvino")


def _write(network: ExportNetwork, path: Path) -> None:
    openvino = import_optional("openvino", "an export to OpenVINO", "openvino")
    from lenet_tf.inference.export.graph import build_module, save_module

    with private_folder() as folder:
        save_module(build_module(network), folder / "model")
        model = openvino.convert_model(str(folder / "model"))
        model.inputs[0].get_node().set_friendly_name("images")
        model.outputs[0].get_tensor().set_names({OUTPUT})
        openvino.save_model(model, str(path), compress_to_fp16=False)


def _load(path: Path, network: ExportNetwork) -> LoadedExport:
    openvino = import_optional("openvino", "an export to OpenVINO", "openvino")
    model = openvino.Core().compile_model(
        str(path), "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    )
    (model_input,), (output,) = model.inputs, model.outputs

    def compute(images: np.ndarray) -> np.ndarray:
        return model([images])[OUTPUT]

    dtype = model_input.get_element_type().get_type_name()
    return LoadedExport(
        f"openvino {openvino.__version__.partition('-')[0]}",
        compute,
        input_dtype=_DTYPES.get(dtype, dtype),
        input_shape=tuple(side.get_length() for side in list(model_input.get_partial_shape())[1:]),
        input_name=model_input.get_any_name(),
        output_name=output.get_any_name(),
    )


FORMATS = {
    "openvino": Format(
        "openvino",
        "OpenVINO",
        ".xml",
        _write,
        _load,
        _check_packages,
        packages=("tensorflow", "openvino"),
    )
}
