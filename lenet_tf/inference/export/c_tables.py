"""Tables of 256 values for the functions of single values in a quantized network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lenet_tf.inference.export.flatbuffer import (
    LiteRTGraph,
    Operator,
    build_flatbuffer,
    parse_flatbuffer,
    read_graph,
    run_graph,
)

_ELEMENTWISE = {
    *("ABS", "ADD", "DIV", "ELU", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC"),
    *("MAXIMUM", "MINIMUM", "MUL", "NEG", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1", "RSQRT"),
    *("SQRT", "SQUARE", "SUB", "TANH"),
}


def is_elementwise(graph: LiteRTGraph, operator: Operator) -> bool:
    """Return whether each output value of an operator depends on one input value only."""
    constants = (graph.tensors[index].value for index in operator.inputs)
    return operator.name in _ELEMENTWISE and all(
        value is None or value.size == 1 for value in constants
    )


def compute_table(graph: LiteRTGraph, operators: Sequence[Operator]) -> np.ndarray:
    """Compute what a run of elementwise operators makes of every int8.

    LiteRT itself computes it, so that the table rounds as LiteRT does.

    Args:
        graph: The network.
        operators: Neighbors in it, see `is_elementwise`.

    Returns:
        int8 (256,), the results for −128 … 127.
    """
    part = read_graph(_extract(graph, operators))
    return run_graph(part, np.arange(-128, 128, dtype=np.int8)[None])[0]


def _extract(graph: LiteRTGraph, operators: Sequence[Operator]) -> bytes:
    """Return a LiteRT file of these operators alone, for vectors of 256 values."""
    model = parse_flatbuffer(graph.content)
    subgraph = model.subgraphs[0]
    outputs = {operator.outputs for operator in operators}
    subgraph.operators = [each for each in subgraph.operators if tuple(each.outputs) in outputs]
    subgraph.inputs = list(graph.list_data(operators[0]))
    subgraph.outputs = [operators[-1].outputs[0]]
    for tensor, facts in zip(subgraph.tensors, graph.tensors, strict=True):
        if facts.value is None:
            tensor.shape, tensor.shapeSignature = [256], None
    model.signatureDefs = None
    return build_flatbuffer(model)
