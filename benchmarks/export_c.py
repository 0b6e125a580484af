"""Measure the C export of the presets, into results/export_c.json.

Each preset is exported, compiled and run on all test images of its data set. Its probabilities, in
256ths, are compared with those of LiteRT's reference kernels and of TFLite-Micro for the same
integers, and with the network in float32. Times are those of one core, with -O2, without reading
images. Usage: export_c.py [--arm COMMAND] [--originals FOLDER], where COMMAND is a C compiler for a
Cortex-M4, such as `python -m ziglang cc -target thumb-freestanding-eabi -mcpu=cortex_m4`. It needs
the package tflite-micro, and prints a table.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import common
import numpy as np

import lenet_tf
from lenet_tf.inference.export.c_check import compare
from lenet_tf.inference.export.c_code import read_file
from lenet_tf.inference.export.c_compiler import describe_compiler, find_compiler
from lenet_tf.inference.export.c_micro import run_micro
from lenet_tf.inference.export.c_network import quantize_images
from lenet_tf.inference.export.flatbuffer import read_graph, run_graph
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.numpy_forward import ACTIVATION_FUNCTIONS, compute_outputs

RESULT = common.RESULTS / "export_c.json"
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]


def measure_flash(compiler: Sequence[str], folder: Path) -> int:
    """Count the bytes of code and constants, compiled for size."""
    subprocess.run(
        [*compiler, *FLAGS, "-Os", "-fno-pic", "-c", "lenet.c", "-o", "lenet.o"],
        cwd=folder,
        check=True,
    )
    text = subprocess.run(
        ["size", "lenet.o"], cwd=folder, capture_output=True, text=True, check=True
    )
    code, data = map(int, text.stdout.splitlines()[1].split()[:2])
    return code + data


def run_images(folder: Path, images: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the probabilities in 256ths, and microseconds for an image."""
    (folder / "check.c").write_text(read_file("check.c"), encoding="utf-8")
    command = [*find_compiler(), *FLAGS, "-O2", "-o", "check", "check.c", "lenet.c"]
    subprocess.run(command, cwd=folder, check=True)
    seconds = []
    for count in (1, len(images)) * 3:
        start = time.perf_counter()
        done = subprocess.run(
            [folder / "check"], input=images[:count].tobytes(), capture_output=True, check=True
        )
        seconds.append(time.perf_counter() - start)
    parts = np.frombuffer(done.stdout, np.uint8).reshape(len(images), -1)[:, 2:]
    return parts, (min(seconds[1::2]) - min(seconds[::2])) / (len(images) - 1) * 1e6


def measure(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one preset."""
    trained, preset = read_any(name), lenet_tf.pretrained.presets.find_preset(name)
    data = lenet_tf.load_data(preset.data, options.originals)
    lenet_tf.export(name, folder, format="c", data=data)
    images, labels = np.asarray(data.x_test)[..., 0], np.asarray(data.y_test)
    parts, microseconds = run_images(folder, images)
    prepared = lenet_tf.prepare_images(images, trained.spec.preparation)
    outputs = compute_outputs(fold(trained), prepared)
    if getattr(trained.spec.rows[-1], "activation", "") != "softmax":
        outputs = ACTIVATION_FUNCTIONS["softmax"](outputs)
    source = (folder / "lenet_model_data.c").read_text(encoding="utf-8")
    content = bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})\b", source))
    graph = read_graph(content)
    inputs = quantize_images(graph, prepared)
    micro = run_micro(content, inputs)
    if isinstance(micro, str):
        raise SystemExit(f"Error: tflite-micro: {micro}")
    header = (folder / "lenet.h").read_text(encoding="utf-8")
    compilers = {"x86_64": find_compiler()} | ({"cortex_m4": options.arm} if options.arm else {})
    return {
        "flash_bytes": {kind: measure_flash(words, folder) for kind, words in compilers.items()},
        "buffer_bytes": int(re.search(r"LENET_BUFFER_SIZE (\d+)", header)[1]),
        "microseconds": microseconds,
        "model_bytes": len(content),
        "arena_bytes": micro.arena_bytes,
        "images": len(images),
        "errors": int(np.count_nonzero(parts.argmax(axis=1) != labels)),
        "float_errors": int(np.count_nonzero(outputs.argmax(axis=1) != labels)),
        "changed": int(np.count_nonzero(parts.argmax(axis=1) != outputs.argmax(axis=1))),
        "litert": asdict(compare(parts, run_graph(graph, inputs).astype(int) + 128)),
        "tflite_micro": asdict(compare(parts, micro.probabilities)),
    }


def render_markdown(result: dict[str, Any]) -> str:
    """Returns the table for the docs."""
    lines = [
        "| preset | flash, bytes | buffer, bytes | µs an image | errors, float32 → C | changed |"
        " differ from LiteRT | from TFLite-Micro | its model, bytes | its arena, bytes |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in result["networks"].items():
        flash = row["flash_bytes"].get("cortex_m4", row["flash_bytes"]["x86_64"])
        cells = [
            f"`{name}`",
            f"{flash:,}",
            f"{row['buffer_bytes']:,}",
            f"{row['microseconds']:.0f}",
            f"{row['float_errors']} → {row['errors']}",
            str(row["changed"]),
            format_differences(row["litert"]),
            format_differences(row["tflite_micro"]),
            f"{row['model_bytes']:,}",
            f"{row['arena_bytes']:,}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def format_differences(comparison: dict[str, int]) -> str:
    """Returns how many of the images differ, and by how many steps at most."""
    count = comparison["different_images"]
    return f"{count} (by {comparison['largest_steps']}/256)" if count else "0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arm", type=shlex.split, help="command of a C compiler for a Cortex-M4")
    parser.add_argument("--originals", help="folder with the original MNIST files")
    parser.add_argument("--networks", nargs="+", help="presets; all by default")
    options = parser.parse_args()
    names = options.networks or [preset.name for preset in lenet_tf.list_presets()]
    networks = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            networks[name] = measure(name, Path(folder) / name, options)
            print(name, networks[name], flush=True)
    arm = {"cortex_m4": shlex.join(options.arm)} if options.arm else {}
    result = common.describe_session() | {
        "compilers": {"x86_64": describe_compiler()} | arm,
        "networks": networks,
    }
    common.write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
