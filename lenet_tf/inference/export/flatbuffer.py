"""Reads LiteRT files: their operators, tensors and how these are quantized."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

# The flatbuffer's numbers of types of tensors.
_DTYPES = {0: np.float32, 2: np.int32, 3: np.uint8, 4: np.int64, 9: np.int8}


@dataclass(frozen=True)
class Tensor:
    """A tensor of a LiteRT file.

    Attributes:
        shape: Its shape; the first axis is 1.
        scales: float32, what one step stands for: one number, or one for each channel.
        zero_point: The integer that stands for 0.
        axis: The axis of the channels.
        value: Its content if it is a constant.
    """

    shape: tuple[int, ...]
    scales: np.ndarray
    zero_point: int
    axis: int
    value: np.ndarray | None

    @property
    def scale(self) -> float:
        """What one step stands for, if that is the same for all channels."""
        return float(self.scales[0])

    @property
    def constant(self) -> np.ndarray:
        """The content of a constant."""
        assert self.value is not None
        return self.value


@dataclass(frozen=True)
class Operator:
    """An operator of a LiteRT file.

    Attributes:
        name: Such as `CONV_2D`.
        inputs: Indices of its tensors; −1 for one that is left out.
        outputs: Likewise.
        options: Its settings, as the flatbuffer's schema names them.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True)
class LiteRTGraph:
    """The network of a LiteRT file.

    Attributes:
        content: The file.
        operators: In the order in which they run.
        tensors: By their index.
        input: Index of the image.
        output: Index of the result.
    """

    content: bytes
    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]
    input: int
    output: int

    def list_data(self, operator: Operator) -> set[int]:
        """Return the indices of an operator's inputs that are no constants."""
        return {i for i in operator.inputs if i >= 0 and self.tensors[i].value is None}

    def list_operator_names(self) -> list[str]:
        """Return the sorted names of the operators, each once."""
        return sorted({operator.name for operator in self.operators})


def parse_flatbuffer(content: bytes) -> Any:
    """Return a LiteRT file as the schema's objects."""
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(bytearray(content))


def build_flatbuffer(model: Any) -> bytes:
    """Return the LiteRT file of the schema's objects."""
    from tensorflow.lite.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def open_interpreter(content: bytes) -> Any:
    """Return LiteRT's interpreter of a file, with its reference kernels.

    TFLite-Micro has the same ones; those for large processors round some sums differently.
    """
    name = "ai_edge_litert" if find_spec("ai_edge_litert") else "tensorflow.lite.python"
    module = import_module(f"{name}.interpreter")
    with warnings.catch_warnings():
        # TensorFlow recommends the other package.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = module.Interpreter(
            model_content=content, experimental_op_resolver_type=module.OpResolverType.BUILTIN_REF
        )
    interpreter.allocate_tensors()
    return interpreter


def run_graph(graph: LiteRTGraph, inputs: np.ndarray) -> np.ndarray:
    """Compute the outputs of a network, image by image.

    Args:
        graph: The network.
        inputs: Its inputs (N, ...), of their own type.

    Returns:
        The outputs (N, values), of their own type.
    """
    interpreter = open_interpreter(graph.content)
    outputs = []
    for values in inputs:
        interpreter.set_tensor(graph.input, values.reshape(graph.tensors[graph.input].shape))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(graph.output).ravel().copy())
    return np.stack(outputs)


def read_graph(content: bytes) -> LiteRTGraph:
    """Read a LiteRT file with one input and one output.

    Args:
        content: The file, as this process has written it.

    Returns:
        Its network.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    names = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
    }
    model = parse_flatbuffer(content)
    subgraph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    operators = tuple(
        Operator(
            names[codes[operator.opcodeIndex]],
            tuple(map(int, operator.inputs)),
            tuple(map(int, operator.outputs)),
            operator.builtinOptions,
        )
        for operator in subgraph.operators
    )
    tensors = tuple(_read_tensor(tensor, model.buffers) for tensor in subgraph.tensors)
    return LiteRTGraph(
        content, operators, tensors, int(subgraph.inputs[0]), int(subgraph.outputs[0])
    )


def _read_tensor(tensor: Any, buffers: Any) -> Tensor:
    shape = tuple(map(int, tensor.shape)) if tensor.shape is not None else ()
    quantization = tensor.quantization
    scales = zero_points = axis = None
    if quantization is not None:
        scales, zero_points = quantization.scale, quantization.zeroPoint
        axis = quantization.quantizedDimension
    data = buffers[tensor.buffer].data
    value = None
    if data is not None and len(data):
        value = np.frombuffer(bytes(data), _DTYPES[tensor.type]).reshape(shape)
    return Tensor(
        shape,
        np.ones(1, np.float32) if scales is None else np.array(scales, np.float32),
        0 if zero_points is None else int(zero_points[0]),
        axis or 0,
        value,
    )
