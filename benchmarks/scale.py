"""Measure epochs of lenet5 on 60,000 to 6,000,000 images, into results/scale.json.

The images are MNIST's training set and nine distorted copies of it, repeated. They are held in
memory or streamed from disk. Every measurement is a fresh process that trains one epoch, tests
10,000 images and prints its seconds and peak memory. Usage: scale.py [--copies N …]; 6,000,000
images take 5 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import RESULTS, describe_session, refuse_load, save_mnist, write_result

RESULT = RESULTS / "scale.json"
# Memory holds the images twice, once in NumPy and once in TensorFlow.
LARGEST_IN_MEMORY = 10

SAVE_COPIES = """
import sys, numpy, tensorflow as tf
from lenet_tf.data.augmentation import distort
from lenet_tf.specs import AUGMENTATIONS
data, folder, copies = numpy.load(sys.argv[1]), sys.argv[2], int(sys.argv[3])
images, labels = data["x_train"], data["y_train"]
shape = (copies * len(images), 28, 28)
saved = numpy.lib.format.open_memmap(f"{folder}/x_train.npy", "w+", numpy.uint8, shape)
distort_batch = tf.function(
    lambda batch, seed: distort(batch, seed, AUGMENTATIONS["affine"], 0.0)
)
for copy in range(copies):
    for start in range(0, len(images), 6000):
        batch = images[start : start + 6000]
        target = saved[copy * len(images) + start :][: len(batch)]
        if copy >= 10:
            target[:] = saved[copy % 10 * len(images) + start :][: len(batch)]
            continue
        batch = tf.constant(batch[..., None] / numpy.float32(255))
        if copy:
            batch = distort_batch(batch, tf.constant([copy, start], tf.int32))
        target[:] = numpy.rint(batch.numpy()[..., 0] * 255)
saved.flush()
numpy.save(f"{folder}/y_train.npy", numpy.tile(labels, copies))
numpy.save(f"{folder}/x_test.npy", data["x_test"])
numpy.save(f"{folder}/y_test.npy", data["y_test"])
"""

TRAIN = """
import json, resource, sys, tempfile, numpy, lenet_tf
folder, is_streamed = sys.argv[1], sys.argv[2] == "streamed"
if is_streamed:
    data = lenet_tf.load_data(folder)
else:
    names = ("x_train", "y_train", "x_test", "y_test")
    data = lenet_tf.RawData(*(numpy.load(f"{folder}/{name}.npy") for name in names))
options = {"device": "cpu", "report": False, "quiet": True}
options["board"] = lenet_tf.Board(images_every=0)
with tempfile.TemporaryDirectory() as logs:
    run = lenet_tf.fit("lenet5", data, epochs=1, logs=logs, **options)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
accuracy = run.metrics["test_accuracy"]
measured = {"epoch": run.history["seconds"][0], "peak_mib": peak, "test_accuracy": accuracy}
print(json.dumps(measured))
"""


def render_markdown(result: dict) -> str:
    """Returns the README's table."""
    lines = [
        "| images | storage | s per epoch, with tracing and test | µs per image | peak MiB |",
        "|---|---|---|---|---|",
    ]
    for run in result["runs"]:
        cells = (
            f"{run['images']:,}",
            run["where"],
            f"{run['epoch']:.1f}",
            f"{run['epoch'] / run['images'] * 1e6:.0f}",
            f"{run['peak_mib']:,.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def run_script(script: str, *arguments: str) -> str:
    """Runs a script in a fresh process and returns what it prints."""
    command = [sys.executable, "-c", script, *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    return subprocess.run(command, check=True, **options).stdout


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 10, 100])
    options = parser.parse_args()
    result = describe_session() | {"runs": []}
    with tempfile.TemporaryDirectory() as folder:
        mnist = Path(folder) / "mnist.npz"
        save_mnist(mnist)
        image_count = len(np.load(mnist)["y_train"])
        for copies in options.copies:
            run_script(SAVE_COPIES, str(mnist), folder, str(copies))
            for where in ("streamed", *(("in memory",) if copies <= LARGEST_IN_MEMORY else ())):
                refuse_load()
                measured = json.loads(run_script(TRAIN, folder, where).splitlines()[-1])
                run = {"images": copies * image_count, "where": where} | measured
                result["runs"].append(run)
                print(run, flush=True)
    write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
