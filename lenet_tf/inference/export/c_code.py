"""Writes a quantized network as C99: one header and one source file."""

from __future__ import annotations

import textwrap
from functools import singledispatch
from pathlib import Path
from string import Template

import numpy as np

from lenet_tf.inference.export.c_network import CNetwork, PlacedStep, Reduction
from lenet_tf.inference.export.c_steps import (
    AveragePoolingStep,
    ConvolutionStep,
    CStep,
    DenseStep,
    DepthwiseStep,
    MaxPoolingStep,
    SoftmaxStep,
    TableStep,
    WindowStep,
)
from lenet_tf.version import __version__

_KERNELS = Path(__file__).parent / "c_kernels"
# What must stand before a kernel.
_NEEDS = {
    "convolution": ("fixed_point", "rescale"),
    "depthwise": ("fixed_point", "rescale"),
    "dense": ("fixed_point", "rescale"),
    "softmax": ("fixed_point",),
    "average_pooling": ("pooling",),
    "max_pooling": ("pooling",),
}
_TYPES = {"uint32": "uint32_t", "int32": "int32_t", "int8": "int8_t", "uint8": "uint8_t"}
_STRUCTURES: dict[type, str] = {
    ConvolutionStep: "Convolution",
    DepthwiseStep: "Depthwise",
    DenseStep: "Dense",
    AveragePoolingStep: "Pooling",
    MaxPoolingStep: "Pooling",
}
_FUNCTIONS: dict[type, str] = {
    ConvolutionStep: "convolve",
    DepthwiseStep: "convolve_depthwise",
    DenseStep: "multiply",
    AveragePoolingStep: "average_windows",
    MaxPoolingStep: "maximize_windows",
}


def read_file(name: str) -> str:
    """Return a file of `c_kernels/`."""
    return (_KERNELS / name).read_text(encoding="utf-8")


def format_array(name: str, values: np.ndarray, qualifiers: str = "static const") -> str:
    """Write a constant array in C, in rows of at most 100 columns."""
    content = textwrap.fill(
        ", ".join(map(str, values.ravel().tolist())),
        width=100,
        initial_indent="    ",
        subsequent_indent="    ",
    )
    sizes = "".join(f"[{length}]" for length in values.shape[:1])
    return f"{qualifiers} {_TYPES[values.dtype.name]} {name}{sizes} = {{\n{content},\n}};\n"


def format_text(text: str) -> str:
    """Write a string in C. Other bytes than ASCII are octal escapes, which end after 3 digits."""
    return '"{}"'.format(
        "".join(
            chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
            for byte in text.encode("utf-8")
        )
    )


def write_source(network: CNetwork) -> str:
    """Write `lenet.c`: kernels, constants and the functions of `lenet.h`."""
    steps = [placed.step for placed in network.steps]
    kernels = list(dict.fromkeys(step.kernel for step in steps))
    needed = dict.fromkeys(name for kernel in kernels for name in (*_NEEDS.get(kernel, ()), kernel))
    constants = [write_constants(placed) for placed in network.steps]
    parts = [
        f"/* {network.title} in integers of 8 bits, written by lenet_tf {__version__}. */\n"
        '#include "lenet.h"\n\n#include <limits.h>\n#include <stddef.h>\n\n'
        '#if INT_MAX < 2147483647\n#error "an int must have 32 bits"\n#endif\n',
        *(read_file(f"{name}.c") for name in needed),
        *constants,
        _write_preparation(network),
        _write_labels(network),
        _write_prediction(network),
    ]
    return "\n".join(parts)


def write_header(network: CNetwork) -> str:
    """Write `lenet.h`."""
    return fill_template(
        "lenet.h",
        title=network.title,
        version=__version__,
        **dict(zip(("height", "width", "channels"), network.image_shape, strict=True)),
        **dict(
            zip(("input_height", "input_width", "input_channels"), network.input_shape, strict=True)
        ),
        classes=len(network.labels),
        buffer_size=network.buffer_size,
    )


def fill_template(name: str, **values: object) -> str:
    """Return a file of `c_kernels/` with its `$names` replaced."""
    return Template(read_file(name)).substitute(values)


@singledispatch
def _list_sizes(step: CStep) -> list[int]:
    """Return the sizes with which a step's C structure begins."""
    raise TypeError(f"no C structure for {type(step).__name__}")


@_list_sizes.register
def _(step: ConvolutionStep) -> list[int]:
    shapes = (*step.input_shape, *step.output_shape, *step.size, *step.strides, *step.padding)
    return [*shapes, step.input_zero]


@_list_sizes.register
def _(step: DepthwiseStep) -> list[int]:
    shapes = (*step.input_shape[1:], *step.output_shape, *step.size, *step.strides)
    return [*shapes, step.input_zero]


@_list_sizes.register
def _(step: DenseStep) -> list[int]:
    return [step.input_shape[-1], step.output_shape[-1], step.input_zero]


@_list_sizes.register(AveragePoolingStep)
@_list_sizes.register(MaxPoolingStep)
def _(step: WindowStep) -> list[int]:
    return [*step.input_shape, *step.output_shape[:2], *step.size, *step.strides, *step.padding]


def write_constants(placed: PlacedStep) -> str:
    """Write the constants of one step."""
    step, name = placed.step, placed.name
    if isinstance(step, TableStep):
        return format_array(name, step.values)
    if isinstance(step, SoftmaxStep):
        return format_array(name, step.powers)
    sizes = ", ".join(map(str, _list_sizes(step)))
    kind = _STRUCTURES[type(step)]
    if not isinstance(step, (ConvolutionStep, DenseStep)):
        return f"static const {kind} {name} = {{{sizes}}};\n"
    rescaling = step.rescaling
    arrays = {
        "weights": step.weights,
        "biases": step.biases,
        "multipliers": rescaling.multipliers,
        "shifts": rescaling.shifts,
    }
    names = {each: f"{name}_{each}" for each in arrays}
    texts = [format_array(names[each], values.ravel()) for each, values in arrays.items()]
    bounds = f"{rescaling.zero_point}, {rescaling.bounds[0]}, {rescaling.bounds[1]}"
    texts.append(
        f"static const {kind} {name} = {{\n    {sizes}, {names['weights']}, {names['biases']},\n"
        f"    {{{names['multipliers']}, {names['shifts']}, {bounds}}},\n}};\n"
    )
    return "\n".join(texts)


def _write_preparation(network: CNetwork) -> str:
    linear = np.arange(-128, 128)
    if np.array_equal(network.pixel_values, linear):
        parts = ["#define QUANTIZE(pixel) ((int8_t)((pixel) - 128))\n"]
    else:
        table = format_array("pixel_values", network.pixel_values)
        parts = [table, "#define QUANTIZE(pixel) (pixel_values[pixel])\n"]
    if network.reduction is None:
        parts.append(read_file("pixel.c"))
    else:
        parts.append(_write_reduction(network.reduction))
    top, left = network.offset
    parts.append(fill_template("prepare.c", top=top, left=left))
    return "\n".join(parts)


def _write_reduction(reduction: Reduction) -> str:
    arrays = []
    for axis, starts, weights in zip(
        ("row", "column"), reduction.starts, reduction.weights, strict=True
    ):
        arrays.append(format_array(f"{axis}_starts", starts.astype(np.int32)))
        arrays.append(format_array(f"{axis}_weights", weights.ravel().astype(np.int32)))
    rows, columns = (weights.shape[1] for weights in reduction.weights)
    code = fill_template("reduce.c", rows=rows, columns=columns, divisor=reduction.divisor)
    return "\n".join([*arrays, code])


def _write_labels(network: CNetwork) -> str:
    names = "".join(f"    {format_text(label)},\n" for label in network.labels)
    return f"const char *const lenet_labels[LENET_CLASSES] = {{\n{names}}};\n"


def _write_prediction(network: CNetwork) -> str:
    calls = []
    for placed in network.steps:
        step, source, target = placed.step, *map(_locate, (placed.source, placed.target))
        if isinstance(step, TableStep):
            count = int(np.prod(step.output_shape))
            calls.append(f"look_up({placed.name}, {source}, {count});")
        elif isinstance(step, SoftmaxStep):
            count = len(step.powers)
            calls.append(f"normalize({placed.name}, {count}, {source}, probabilities);")
        else:
            calls.append(f"{_FUNCTIONS[type(step)]}(&{placed.name}, {source}, {target});")
    return fill_template("predict.c", calls="\n    ".join(calls))


def _locate(place: int) -> str:
    return f"buffer + {place}" if place else "buffer"
