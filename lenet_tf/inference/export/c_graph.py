"""Reads the steps of a quantized network from the LiteRT file that holds it."""

from __future__ import annotations

import math

import numpy as np

from lenet_tf.errors import LenetError
from lenet_tf.inference.export.c_softmax import compute_powers
from lenet_tf.inference.export.c_steps import (
    AveragePoolingStep,
    ConvolutionStep,
    CStep,
    DenseStep,
    DepthwiseStep,
    MaxPoolingStep,
    Rescaling,
    Shape,
    SoftmaxStep,
    TableStep,
)
from lenet_tf.inference.export.c_tables import compute_table, is_elementwise
from lenet_tf.inference.export.flatbuffer import LiteRTGraph, Operator, Tensor
from lenet_tf.specs.conv_arithmetic import compute_padding_before
from lenet_tf.specs.rows import IntPair

# The softmax adds numbers of 20 bits in 32.
MAX_CLASSES = 1000
# The flatbuffer's numbers of fused activations, and the real values that they keep.
_FUSED_BOUNDS = {0: (-math.inf, math.inf), 1: (0, math.inf), 2: (-1, 1), 3: (0, 6)}
_PADDINGS = {0: "same", 1: "valid"}
_TYPES = {"CONV_2D": ConvolutionStep, "DEPTHWISE_CONV_2D": DepthwiseStep}
_POOLINGS = {"AVERAGE_POOL_2D": AveragePoolingStep, "MAX_POOL_2D": MaxPoolingStep}


def read_steps(graph: LiteRTGraph) -> list[CStep]:
    """Read the steps of a network with int8 inputs and outputs.

    Args:
        graph: The network: a chain of operators that ends with a softmax.

    Returns:
        The steps; neighboring functions of single values are one table.

    Raises:
        LenetError: If the network has an operator that there is no C code for.
    """
    steps: list[CStep] = []
    operators, source = list(graph.operators), graph.input
    while operators:
        count = _count_elementwise(graph, operators, source)
        if count:
            shape = as_shape(graph.tensors[source].shape)
            steps.append(TableStep(shape, shape, compute_table(graph, operators[:count])))
        elif graph.list_data(operators[0]) != {source}:
            raise _refuse(operators[0], "that takes the outputs of two others")
        elif operators[0].name != "RESHAPE":
            steps.append(_read_step(graph, operators[0]))
        done = operators[: max(count, 1)]
        operators, source = operators[len(done) :], done[-1].outputs[0]
    return steps


def _count_elementwise(graph: LiteRTGraph, operators: list[Operator], source: int) -> int:
    """Count the first operators whose outputs depend on single values of one tensor."""
    count, known = 0, {source}
    while count < len(operators) and is_elementwise(graph, operators[count]):
        if not graph.list_data(operators[count]) <= known:
            break
        known.update(operators[count].outputs)
        count += 1
    return count


def _refuse(operator: Operator, reason: str = "") -> LenetError:
    place = f" {reason}" if reason else ""
    return LenetError(
        f"the c format has no code for an operator {operator.name}{place}, as this network has:"
        " choose --format int8, which LiteRT runs"
    )


def as_shape(shape: tuple[int, ...]) -> Shape:
    """Return height, width and channels of a tensor of one image."""
    height, width = shape[1:3] if len(shape) == 4 else (1, 1)
    return height, width, shape[-1]


def _read_step(graph: LiteRTGraph, operator: Operator) -> CStep:
    if operator.name in _TYPES:
        return _read_convolution(graph, operator)
    if operator.name in _POOLINGS:
        return _read_pooling(graph, operator)
    if operator.name == "FULLY_CONNECTED":
        return _read_dense(graph, operator)
    if operator.name == "SOFTMAX":
        return _read_softmax(graph, operator)
    raise _refuse(operator)


def _read_convolution(graph: LiteRTGraph, operator: Operator) -> CStep:
    inputs, weights, biases = (graph.tensors[index] for index in operator.inputs[:3])
    output, options = graph.tensors[operator.outputs[0]], operator.options
    if (options.dilationHFactor, options.dilationWFactor) != (1, 1):
        raise _refuse(operator, "with dilation")
    kernel = weights.constant[0] if operator.name == "DEPTHWISE_CONV_2D" else weights.constant
    size = (weights.shape[1], weights.shape[2])
    strides = (options.strideH, options.strideW)
    return _TYPES[operator.name](
        as_shape(inputs.shape),
        as_shape(output.shape),
        size,
        strides,
        _find_padding(inputs, size, strides, options.padding),
        kernel,
        biases.constant,
        inputs.zero_point,
        _read_rescaling(inputs, weights, output, options.fusedActivationFunction),
    )


def _read_dense(graph: LiteRTGraph, operator: Operator) -> DenseStep:
    inputs, weights = (graph.tensors[index] for index in operator.inputs[:2])
    output = graph.tensors[operator.outputs[0]]
    units, length = weights.constant.shape
    biases: np.ndarray = np.zeros(units, np.int32)
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        biases = graph.tensors[operator.inputs[2]].constant
    return DenseStep(
        (1, 1, length),
        (1, 1, units),
        weights.constant,
        biases,
        inputs.zero_point,
        _read_rescaling(inputs, weights, output, operator.options.fusedActivationFunction),
    )


def _read_pooling(graph: LiteRTGraph, operator: Operator) -> CStep:
    inputs, output = (graph.tensors[index] for index in (operator.inputs[0], operator.outputs[0]))
    options = operator.options
    if options.fusedActivationFunction or inputs.scale != output.scale:
        raise _refuse(operator, "with an activation")
    size, strides = (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
    return _POOLINGS[operator.name](
        as_shape(inputs.shape),
        as_shape(output.shape),
        size,
        strides,
        _find_padding(inputs, size, strides, options.padding),
    )


def _read_softmax(graph: LiteRTGraph, operator: Operator) -> SoftmaxStep:
    inputs, output = (graph.tensors[index] for index in (operator.inputs[0], operator.outputs[0]))
    classes = output.shape[-1]
    if classes > MAX_CLASSES:
        raise LenetError(f"the c format has code for {MAX_CLASSES:,} classes, not {classes:,}")
    if (output.scale, output.zero_point) != (1 / 256, -128):
        raise _refuse(operator, "with other steps than 1/256")
    powers = compute_powers(inputs.scale * operator.options.beta)
    return SoftmaxStep((1, 1, classes), (1, 1, classes), powers)


def _find_padding(inputs: Tensor, size: IntPair, strides: IntPair, padding: int) -> IntPair:
    top, left = (
        compute_padding_before(*axis, _PADDINGS[padding])
        for axis in zip(inputs.shape[1:3], size, strides, strict=True)
    )
    return top, left


def _read_rescaling(inputs: Tensor, weights: Tensor, output: Tensor, fused: int) -> Rescaling:
    count = weights.shape[-1 if weights.axis == 3 else 0]
    # float32 scales, multiplied in float64, as LiteRT does.
    scales = np.float64(inputs.scale) * np.float64(weights.scales) / np.float64(output.scale)
    fractions, exponents = np.frexp(np.broadcast_to(scales, count))
    multipliers = np.rint(fractions * 2**31).astype(np.int64)
    is_one = multipliers == 2**31
    multipliers[is_one] //= 2
    shifts = exponents + is_one
    is_small = shifts < -31
    multipliers[is_small], shifts[is_small] = 0, 0
    low, high = (
        max(-128, min(127, output.zero_point + round(bound / output.scale)))
        if math.isfinite(bound)
        else int(math.copysign(127.5, bound) - 0.5)
        for bound in _FUSED_BOUNDS[fused]
    )
    return Rescaling(
        multipliers.astype(np.int32), shifts.astype(np.int8), output.zero_point, (low, high)
    )
