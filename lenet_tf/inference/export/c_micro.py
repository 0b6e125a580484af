"""A LiteRT file as C code for TFLite-Micro, and the memory that it needs there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lenet_tf.inference.export.c_code import fill_template
from lenet_tf.inference.export.flatbuffer import LiteRTGraph
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.scratch import private_folder
from lenet_tf.version import __version__

# Operators of LiteRT that TFLite-Micro has no code for.
_MISSING = {"GELU", "RELU_N1_TO_1"}
_CHILD = Path(__file__).with_name("micro_child.py")
_ARENA = re.compile(r"Arena allocation total (\d+) bytes")
_SECONDS = 300


@dataclass(frozen=True)
class MicroRun:
    """What TFLite-Micro made of a network.

    Attributes:
        version: Of the package tflite-micro.
        arena_bytes: Memory that its arena used.
        probabilities: In 256ths, uint8 (N, classes).
    """

    version: str
    arena_bytes: int
    probabilities: np.ndarray


def run_micro(content: bytes, inputs: np.ndarray) -> MicroRun | str:
    """Run a LiteRT file in TFLite-Micro, by another process, which it may abort.

    Args:
        content: The file, with int8 inputs and outputs.
        inputs: int8 (N, height, width, channels).

    Returns:
        The result, or why there is none.
    """
    if find_spec("tflite_micro") is None:
        return "on Linux on x86-64, pip install 'lenet_tf[micro]' adds it"
    with private_folder() as folder:
        model, images = folder / "model.tflite", folder / "images"
        for path, values in ((model, content), (images, inputs.tobytes())):
            with atomic_write(path) as file:
                file.write(values)
        try:
            result = subprocess.run(
                [
                    sys.executable,
                    "-I",
                    str(_CHILD),
                    model,
                    images,
                    json.dumps(sys.path),
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"it failed: {error}"
    arena = _ARENA.search(result.stderr)
    if result.returncode or arena is None:
        return f"it failed: {(result.stderr.splitlines() or ['without a reason'])[-1]}"
    answer = json.loads(result.stdout.splitlines()[-1])
    outputs = np.array(answer["outputs"], np.int64).reshape(len(inputs), -1) + 128
    return MicroRun(answer["version"], int(arena[1]), outputs.astype(np.uint8))


def write_model_header(title: str, graph: LiteRTGraph, micro: MicroRun | str) -> str:
    """Write `lenet_model_data.h`."""
    source, result = graph.tensors[graph.input], graph.tensors[graph.output]
    return fill_template(
        "lenet_model_data.h",
        title=title,
        version=__version__,
        size=len(graph.content),
        arena=_describe_arena(micro),
        operators=_describe_operators(graph.list_operator_names()),
        input_scale=_format_float(source.scale),
        input_zero=source.zero_point,
        output_scale=_format_float(result.scale),
        output_zero=result.zero_point,
    )


def write_model_source(title: str, graph: LiteRTGraph) -> str:
    """Write `lenet_model_data.c`."""
    content, width = graph.content, 16
    lines = [
        "    " + ", ".join(f"0x{byte:02x}" for byte in content[start : start + width]) + ","
        for start in range(0, len(content), width)
    ]
    return fill_template(
        "lenet_model_data.c", title=title, version=__version__, content="\n".join(lines)
    )


def _describe_arena(micro: MicroRun | str) -> str:
    if isinstance(micro, str):
        return (
            "/* The arena wasn't measured, since tflite-micro didn't run on the machine that wrote"
            " this.\n   Start with a large one and read the interpreter's arena_used_bytes(). */"
        )
    return (
        f"/* What tflite-micro {micro.version} used on a machine with 64 bits; those with 32 need"
        f" less. */\n#define LENET_ARENA_SIZE {micro.arena_bytes}"
    )


def _describe_operators(names: list[str]) -> str:
    missing = [name for name in names if name in _MISSING]
    if missing:
        return f"/* TFLite-Micro has no code for {', '.join(missing)} of this model. */"
    # Names of methods: CONV_2D becomes AddConv2D.
    calls = [f"    (resolver).Add{name.title().replace('_', '')}();" for name in names]
    calls = [f"{call:<60}\\" for call in calls[:-1]] + [calls[-1].rstrip(";")]
    return "\n".join(
        [
            f"#define LENET_OPERATOR_COUNT {len(names)}",
            "/* For tflite::MicroMutableOpResolver<LENET_OPERATOR_COUNT> resolver. */",
            f"{'#define LENET_ADD_OPERATORS(resolver)':<60}\\",
            *calls,
        ]
    )


def _format_float(value: float) -> str:
    text = repr(float(np.float32(value)))
    return f"{text}f"
