"""Export to C99 for microcontrollers: a network in integers of 8 bits, without libraries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.inference.export.c_check import Comparison, check_code, to_dictionary
from lenet_tf.inference.export.c_code import fill_template, read_file, write_header, write_source
from lenet_tf.inference.export.c_compiler import describe_compiler, find_compiler, run_code
from lenet_tf.inference.export.c_core import convert_core
from lenet_tf.inference.export.c_micro import (
    MicroRun,
    run_micro,
    write_model_header,
    write_model_source,
)
from lenet_tf.inference.export.c_network import CNetwork, build_network, quantize_images
from lenet_tf.inference.export.c_vectors import write_vectors
from lenet_tf.inference.export.flatbuffer import read_graph, run_graph
from lenet_tf.inference.export.network import ExportNetwork
from lenet_tf.inference.export.registry import Format, LoadedExport, Tolerance
from lenet_tf.io.atomic import make_folder, write_text
from lenet_tf.version import __version__

# Images that TFLite-Micro, whose kernels are simple ones, answers beside the C code.
_MICRO_IMAGES = 100


def _write(network: ExportNetwork, path: Path) -> None:
    preparation, images = network.trained.spec.preparation, network.data.test_images
    graph = read_graph(convert_core(network))
    plan = build_network(
        network.title, graph, network.layers, preparation, network.image_shape, network.labels
    )
    files = {"lenet.h": write_header(plan), "lenet.c": write_source(plan)}
    answers, parts = run_code(files, images)
    inputs = quantize_images(graph, prepare_images(images, preparation))
    micro = run_micro(graph.content, inputs[:_MICRO_IMAGES])
    litert = run_graph(graph, inputs).astype(np.int64) + 128
    comparisons = check_code(network.title, parts, litert, micro)
    files |= {
        "main.c": read_file("main.c"),
        "Makefile": read_file("Makefile"),
        "test_vectors.h": write_vectors(images, network.data.test_labels, answers, parts),
        "lenet_model_data.h": write_model_header(plan.title, graph, micro),
        "lenet_model_data.c": write_model_source(plan.title, graph),
        "comparison.json": _describe(plan, comparisons, micro),
        "README.md": _write_readme(plan, comparisons, micro),
    }
    make_folder(path, path.parent)
    for name, text in files.items():
        write_text(path / name, text, inside=path)


def _describe(plan: CNetwork, comparisons: dict[str, Comparison], micro: MicroRun | str) -> str:
    facts = {
        "network": plan.title,
        "compiler": describe_compiler(),
        "constant_bytes": plan.count_bytes(),
        "buffer_bytes": plan.buffer_size,
        "model_bytes": len(plan.graph.content),
        "arena_bytes": None if isinstance(micro, str) else micro.arena_bytes,
        "operators": plan.graph.list_operator_names(),
        "probabilities_in_256ths_against": to_dictionary(comparisons),
    }
    return json.dumps(facts, indent=2) + "\n"


def _write_readme(plan: CNetwork, comparisons: dict[str, Comparison], micro: MicroRun | str) -> str:
    height, width, channels = plan.image_shape
    lines = [
        f"- Against LiteRT's reference kernels: {comparisons['litert'].describe()}.",
        f"- Against TFLite-Micro: not compared ({micro})."
        if isinstance(micro, str)
        else f"- Against TFLite-Micro: {comparisons['tflite_micro'].describe()}.",
        f"- Compiled by {describe_compiler()}.",
    ]
    return fill_template(
        "folder.md",
        title=plan.title,
        version=__version__,
        shape=f"{height} × {width}" + (f" × {channels}" if channels > 1 else ""),
        weight_bytes=f"{plan.count_bytes():,}",
        buffer_size=f"{plan.buffer_size:,}",
        model_size=f"{len(plan.graph.content):,}",
        checks="\n".join(lines),
    )


def _load(path: Path, network: ExportNetwork) -> LoadedExport:
    files = {name: (path / name).read_text(encoding="utf-8") for name in ("lenet.h", "lenet.c")}

    def compute(images: np.ndarray) -> np.ndarray:
        return run_code(files, images)[1].astype(np.float32) / 256

    return LoadedExport(describe_compiler(), compute)


def _check_packages() -> None:
    find_compiler()


FORMATS: dict[str, Any] = {
    "c": Format(
        "c",
        "C99",
        "-c",
        _write,
        _load,
        check_packages=_check_packages,
        takes_prepared=False,
        packages=("tensorflow", "tflite-micro"),
        tolerance=Tolerance(None, changed=0.01, changed_errors=0.2, added_errors=0.005),
    ),
}
