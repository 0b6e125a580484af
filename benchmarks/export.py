"""Measure exports of all networks in all formats, into results/export.json and results/export.md.

Each network is a preset where there is one, and is otherwise trained for one epoch. Each export is
made as `lenet_tf.export` does, and then answers all test images. Its seconds are measured in turn
with Keras' `predict`, with `lenet_tf.predict_outputs` and with NumPy, each with one thread. A
loaded machine is refused. Usage: export.py --originals FOLDER [--networks NAME...] [--busy].
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import common
import numpy as np
from threadpoolctl import threadpool_limits

import lenet_tf
from lenet_tf.specs import VARIANTS

RESULT = common.RESULTS / "export.json"
PAGE = common.RESULTS / "export.md"
FORMATS = ("onnx", "litert", "int8", "saved_model", "openvino")
EXACT = tuple(name for name in FORMATS if name != "int8")
PRESETS = {
    "lenet5": "lenet5-mnist",
    "lenet5-modern": "lenet5-modern-mnist",
    "lenet5-1998": "lenet5-1998-mnist",
    "lenet4": "lenet4-mnist",
    "lenet1": "lenet1-mnist",
    "cnn-38k": "cnn-38k-mnist",
    "lenet5-modern, Fashion-MNIST": "lenet5-modern-fashion-mnist",
}
NETWORKS = (*VARIANTS, "lenet5-modern, Fashion-MNIST")
DATA = {
    "lenet5-color": "cifar10_jpeg",
    "lenet5-modern-color": "cifar10_jpeg",
    "lenet5-modern, Fashion-MNIST": "fashion_mnist",
}
PACKAGES = ("keras", "tensorflow", "onnxruntime", "openvino", "numpy")
# Rounds of all candidates in turn, calls with one image in each, and images of a call in the rest.
ROUNDS, SINGLE_CALLS, BATCH = 3, 50, 1_000

Compute = Callable[[np.ndarray], np.ndarray]


def build_network(name: str, data: lenet_tf.RawData, logs: Path) -> tuple[Any, str]:
    """The model, and what trained it."""
    if name in PRESETS:
        return lenet_tf.LeNet.from_preset(PRESETS[name]), PRESETS[name]
    board = lenet_tf.Board(images_every=0, histograms=())
    options = {"seed": 0, "device": "cpu", "quiet": True, "report": False, "board": board}
    return lenet_tf.fit(name, data, epochs=1, logs=logs, **options).model, "one epoch, seed 0"


def in_batches(compute: Compute, images: np.ndarray) -> np.ndarray:
    parts = [compute(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    return np.concatenate(parts)


def list_references(model: Any, images: np.ndarray) -> dict[str, tuple[Compute, np.ndarray]]:
    """What the package and Keras offer: a function and its input for each."""
    from lenet_tf.models.trained_network import to_trained_network
    from lenet_tf.pretrained.folding import fold
    from lenet_tf.pretrained.numpy_forward import compute_outputs

    preparation = model.spec.preparation
    layers = fold(to_trained_network(model))

    def use_keras(inputs: np.ndarray) -> np.ndarray:
        return model.predict(lenet_tf.prepare_images(inputs, preparation), verbose=0)

    def use_numpy(inputs: np.ndarray) -> np.ndarray:
        return compute_outputs(layers, lenet_tf.prepare_images(inputs, preparation))

    return {
        "keras": (use_keras, images),
        "lenet_tf": (lambda inputs: lenet_tf.predict_outputs(model, inputs), images),
        "numpy": (use_numpy, images),
    }


def measure_seconds(candidates: dict[str, tuple[Compute, np.ndarray]]) -> dict[str, dict]:
    """Milliseconds for one image and for all, the median of rounds that take turns."""
    single: dict[str, list[float]] = {name: [] for name in candidates}
    every: dict[str, list[float]] = {name: [] for name in candidates}
    for compute, images in candidates.values():
        compute(images[:1])
    for _ in range(ROUNDS):
        for name, (compute, images) in candidates.items():
            # Keras' own takes 50 ms a call.
            for _ in range(SINGLE_CALLS if name in FORMATS else 5):
                start = time.perf_counter()
                compute(images[:1])
                single[name].append(time.perf_counter() - start)
            start = time.perf_counter()
            # These have batches of their own.
            compute(images) if name in ("keras", "lenet_tf") else in_batches(compute, images)
            every[name].append(time.perf_counter() - start)
    return {
        name: {
            "ms_1": 1e3 * statistics.median(single[name]),
            "ms_all": 1e3 * statistics.median(every[name]),
        }
        for name in candidates
    }


def measure_network(name: str, data: lenet_tf.RawData, folder: Path) -> dict:
    """Bytes, differences, errors and milliseconds of a network in all formats."""
    from lenet_tf.evaluation.evaluate import to_probabilities
    from lenet_tf.inference.export.network import build_export_network
    from lenet_tf.inference.export.registry import get_format
    from lenet_tf.inference.export.subject import find_subject, read_export_data
    from lenet_tf.runtime.startup_log import hide_log

    model, training = build_network(name, data, folder)
    images = data.x_test if data.x_test.shape[-1] != 1 else data.x_test[..., 0]
    labels = data.y_test
    expected = to_probabilities(model, lenet_tf.predict_outputs(model, images))
    candidates, formats = list_references(model, images), {}
    subject = find_subject(model)
    network = build_export_network(subject.trained, name, read_export_data(subject, data))
    for format_name in FORMATS:
        start = time.perf_counter()
        try:
            result = lenet_tf.export(model, folder / format_name, format=format_name, data=data)
        except lenet_tf.LenetError as error:
            formats[format_name] = {"error": str(error)}
            continue
        seconds = time.perf_counter() - start
        with hide_log():
            compute = get_format(format_name).load(result.path, network).compute
        actual = in_batches(compute, images)
        formats[format_name] = {
            "bytes": result.size,
            "difference": float(np.abs(actual - expected).max()),
            "changed": int((actual.argmax(1) != expected.argmax(1)).sum()),
            "errors": int((actual.argmax(1) != labels).sum()),
            "export_seconds": seconds,
        }
        candidates[format_name] = compute, images
    timed = measure_seconds(candidates)
    for format_name, values in formats.items():
        values |= timed.get(format_name, {})
    return {
        "network": name,
        "training": training,
        "data": data.name,
        "images": len(images),
        "errors": int((expected.argmax(1) != labels).sum()),
        "formats": formats,
        "references": {each: timed[each] for each in ("keras", "lenet_tf", "numpy")},
    }


def _format_share(errors: int, images: int) -> str:
    return f"{100 * errors / images:.2f}"


def _render_sizes(result: dict) -> list[str]:
    lines = [
        "| network | trained | test error, % | "
        + " | ".join(f"`{name}`" for name in EXACT)
        + " | largest difference | changed | `int8` | int8's error, % | changed"
        " | largest difference |",
        "|---|---|---|" + "---|" * (len(EXACT) + 6),
    ]
    for row in result["networks"]:
        exact = [row["formats"][name] for name in EXACT]
        good = [each for each in exact if "error" not in each]
        cells = [
            row["network"],
            row["training"],
            _format_share(row["errors"], row["images"]),
            *(f"{each['bytes']:,}" if "bytes" in each else "–" for each in exact),
            f"{max(each['difference'] for each in good):.0e}",
            str(max(each["changed"] for each in good)),
        ]
        int8 = row["formats"]["int8"]
        cells += (
            ["refused", "–", "–", "–"]
            if "error" in int8
            else [
                f"{int8['bytes']:,}",
                _format_share(int8["errors"], row["images"]),
                str(int8["changed"]),
                f"{int8['difference']:.2f}",
            ]
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _render_times(result: dict, part: str, digits: int) -> list[str]:
    names = ("keras", "lenet_tf", "numpy", *FORMATS)
    titles = ("Keras' `predict`", "`predict_outputs`", "NumPy", *(f"`{name}`" for name in FORMATS))
    lines = [f"| network | {' | '.join(titles)} |", "|---|" + "---|" * len(titles)]
    for row in result["networks"]:
        values = [(row["references"] | row["formats"])[name].get(part) for name in names]
        cells = ["–" if value is None else f"{value:,.{digits}f}" for value in values]
        lines.append(f"| {row['network']} | {' | '.join(cells)} |")
    return lines


def render_markdown(result: dict) -> str:
    """Returns the page of the results."""
    machine, versions = result["machine"], result["versions"]
    packages = ", ".join(f"{name} {number}" for name, number in versions.items())
    return "\n".join(
        [
            "# Exports of all networks",
            "",
            f"Made by `benchmarks/export.py` from `export.json` on {machine['processor']},"
            f" {machine['cores']} cores; {packages}. Networks are presets where there is one,"
            " and are otherwise trained for one epoch, so their errors say nothing about the"
            " network. Exports take raw images and were checked on 1,000 of the test images; the"
            " numbers here are for all of them (10,000), beside `lenet_tf.predict_outputs`.",
            "",
            "## Bytes and answers",
            "",
            "The first difference and number of changed answers are the largest of the four formats"
            " with floats.",
            "",
            *_render_sizes(result),
            "",
            "## Milliseconds for one image",
            "",
            f"One thread each, in turn; the median of {ROUNDS * SINGLE_CALLS} calls"
            f" ({ROUNDS * 5} for the first three). Preparation is included.",
            "",
            *_render_times(result, "ms_1", 3),
            "",
            "## Milliseconds for all test images",
            "",
            f"The median of {ROUNDS}. Exports and NumPy take {BATCH:,} images a call, Keras'"
            " `predict` its default of 32 a step.",
            "",
            *_render_times(result, "ms_all", 0),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--originals", help="folder with the published data files")
    parser.add_argument("--networks", nargs="+", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--busy", action="store_true", help="measure on a loaded machine too")
    parser.add_argument("--output", type=Path, default=RESULT, help="JSON file; a page beside it")
    options = parser.parse_args()
    if not options.busy:
        common.refuse_load()
    result = common.describe_session()
    result["versions"] |= {package: version(package) for package in PACKAGES}
    result["networks"] = []
    lenet_tf.use_one_thread()
    # NumPy's matrix products.
    threadpool_limits(1, "blas")
    loaded: dict[str, lenet_tf.RawData] = {}
    for name in options.networks:
        data_name = DATA.get(name, "mnist")
        if data_name not in loaded:
            loaded[data_name] = lenet_tf.load_data(data_name, options.originals)
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            row = measure_network(name, loaded[data_name], Path(folder))
        result["networks"].append(row)
        common.write_result(options.output, result)
        options.output.with_suffix(".md").write_text(render_markdown(result), encoding="utf-8")
        failed = [each for each, values in row["formats"].items() if "error" in values]
        print(f"{name:30}{time.perf_counter() - start:6.0f} s", *failed, flush=True)


if __name__ == "__main__":
    main()
