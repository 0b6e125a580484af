"""Measure predictions from the start of the process, into results/predict.json.

A drawn digit, one PNG file of MNIST and all 10,000 test images as PNG files go through
`lenet-tf predict` in fresh processes; the network alone runs in this process, with one image and
with 10,000. `--old CHECKOUT RUN` measures another checkout of this project in turns with this one,
with a run of its own. A loaded machine is refused.
Usage: predict.py [--repeats 15] [--old CHECKOUT RUN].
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common
import numpy as np
from PIL import Image, ImageDraw

from lenet_tf.inference.classifier import open_classifier

RESULT = common.RESULTS / "predict.json"
ROOT = common.HERE.parent
# A 7 on a sheet, as a user draws it.
STROKE = [(60, 50), (150, 45), (110, 120), (90, 190)]
NUM_IMAGES = 10_000


def draw_seven(path: Path) -> None:
    sheet = Image.new("RGB", (220, 240), (240, 238, 230))
    ImageDraw.Draw(sheet).line(STROKE, fill=(40, 45, 60), width=13, joint="curve")
    sheet.save(path)


def save_images(folder: Path) -> np.ndarray:
    """Save MNIST's test images as PNG files, and return them."""
    common.save_mnist(folder / "mnist.npz")
    images = np.load(folder / "mnist.npz")["x_test"]
    (folder / "png").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / "png" / f"{number:05}.png")
    return images


def measure_command(arguments: list[str], checkout: Path) -> float:
    """Return the seconds of one `lenet-tf predict` process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lenet_tf", "predict", *arguments],
        env=common.child_environment() | {"PYTHONPATH": str(checkout)},
        cwd=checkout,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # 1: some of MNIST's digits are refused as none.
    if done.returncode not in (0, 1):
        done.check_returncode()
    return time.perf_counter() - start


def measure_network(images: np.ndarray, repeats: int) -> float:
    """Return the milliseconds in which the default preset classifies images, the median."""
    classify = open_classifier().classify
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        classify(images)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds[1:])


def summarize(seconds: list[float]) -> dict[str, float]:
    return {"median": statistics.median(seconds), "min": min(seconds), "max": max(seconds)}


def measure_commands(
    folder: Path, repeats: int, old: tuple[Path, Path] | None, max_load: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the seconds of each command in each checkout, measured in turns."""
    pictures = {
        "drawn digit": ([str(folder / "seven.png")], repeats),
        "image of MNIST": ([str(folder / "png" / "00000.png")], repeats),
        f"{NUM_IMAGES:,} images of MNIST": ([str(folder / "png"), "--csv"], max(1, repeats // 5)),
    }
    candidates = {"this": (ROOT, [])}
    if old is not None:
        candidates["old"] = (old[0], ["--model", str(old[1])])
    measured = {}
    for name, (arguments, count) in pictures.items():
        seconds: dict[str, list[float]] = {each: [] for each in candidates}
        for number in range(count + 1):
            common.refuse_load(max_load)
            for each, (checkout, options) in candidates.items():
                taken = measure_command([*arguments, *options], checkout)
                # The first process also reads its libraries from the disk.
                seconds[each] += [taken] if number else []
        measured[name] = {each: summarize(values) for each, values in seconds.items()}
        print(name, measured[name], flush=True)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--max-load", type=float, default=common.MAX_LOAD)
    parser.add_argument("--old", nargs=2, type=Path, metavar=("CHECKOUT", "RUN"))
    options = parser.parse_args()
    common.refuse_load(options.max_load)
    result = common.describe_session()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_seven(folder / "seven.png")
        images = save_images(folder)
        old = None if options.old is None else (*(path.resolve() for path in options.old),)
        result["seconds"] = measure_commands(folder, options.repeats, old, options.max_load)
    many = result["seconds"][f"{NUM_IMAGES:,} images of MNIST"]["this"]["median"]
    result["images_per_second"] = round(NUM_IMAGES / many)
    common.refuse_load(options.max_load)
    result["network_ms"] = {
        f"{count:,}": measure_network(images[:count], options.repeats) for count in (1, NUM_IMAGES)
    }
    print(f"{result['images_per_second']:,} images/s; network, ms: {result['network_ms']}")
    result["cores"] = os.cpu_count()
    common.write_result(RESULT, result)


if __name__ == "__main__":
    main()
