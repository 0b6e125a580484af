"""Runs a LiteRT file in TFLite-Micro: a script of its own process, without this package."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.metadata import version

_ARENA_BYTES = 8 << 20


def main(model: str, inputs: str, path: str) -> None:
    """Print the outputs as JSON to stdout, and the use of the arena to stderr.

    Args:
        model: The LiteRT file, with int8 inputs and outputs.
        inputs: A file of images, one after the other.
        path: Where to look for packages, `sys.path` as JSON.
    """
    sys.path[:] = json.loads(path)
    import numpy as np

    runtime = import_module("tflite_micro").runtime
    interpreter = runtime.Interpreter.from_file(model, arena_size=_ARENA_BYTES)
    outputs = []
    shape = interpreter.get_input_details(0)["shape"]
    for image in np.fromfile(inputs, np.int8).reshape(-1, *shape):
        interpreter.set_input(image, 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).ravel().tolist())
    interpreter.print_allocations()
    print(json.dumps({"version": version("tflite-micro"), "outputs": outputs}))


if __name__ == "__main__":
    main(*sys.argv[1:])
