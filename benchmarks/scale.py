"""An epoch of lenet5 on 60,000 to 6,000,000 images, in memory and streamed from the disk, into results/scale.json.

The images are MNIST's training set and nine distorted copies of it, again and again. Every run is a process of its own: it trains an
epoch, tests 10,000 images and answers with its seconds and its largest memory. Usage: scale.py [--copies N …]; 6,000,000 images take 5 GB
of disk.
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
# In memory there are two copies of the images, one of them TensorFlow's.
LARGEST_IN_MEMORY = 10

WRITE = """
import sys, numpy, tensorflow as tf
from lenet_tf.data.augmentation import distort
from lenet_tf.specs import AUGMENTATIONS
data, folder, copies = numpy.load(sys.argv[1]), sys.argv[2], int(sys.argv[3])
images, labels = data["x_train"], data["y_train"]
out = numpy.lib.format.open_memmap(f"{folder}/x_train.npy", "w+", numpy.uint8, (copies * len(images), 28, 28))
one = tf.function(lambda batch, seed: distort(batch, seed, AUGMENTATIONS["affine"], 0.0))
for copy in range(copies):
    for start in range(0, len(images), 6000):
        place = out[copy * len(images) + start :]
        if copy >= 10:
            place[:6000] = out[copy % 10 * len(images) + start :][:6000]
            continue
        batch = tf.constant(images[start : start + 6000, ..., None] / numpy.float32(255))
        made = one(batch, tf.constant([copy, start], tf.int32)).numpy() if copy else batch.numpy()
        place[: len(made)] = numpy.rint(made[..., 0] * 255)
out.flush()
numpy.save(f"{folder}/y_train.npy", numpy.tile(labels, copies))
numpy.save(f"{folder}/x_test.npy", data["x_test"])
numpy.save(f"{folder}/y_test.npy", data["y_test"])
"""

TRAIN = """
import json, resource, sys, tempfile, numpy, lenet_tf
folder, streamed = sys.argv[1], sys.argv[2] == "streamed"
if streamed:
    data = lenet_tf.load_data(folder)
else:
    data = lenet_tf.RawData(*(numpy.load(f"{folder}/{name}.npy") for name in ("x_train", "y_train", "x_test", "y_test")))
with tempfile.TemporaryDirectory() as logs:
    run = lenet_tf.fit("lenet5", data, epochs=1, device="cpu", logs=logs, board=lenet_tf.Board(images_every=0), report=False, quiet=True)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"epoch": run.history["seconds"][0], "peak_mib": peak, "test_accuracy": run.metrics["test_accuracy"]}))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 10, 100])
    options = parser.parse_args()
    result = describe_session() | {"runs": []}
    with tempfile.TemporaryDirectory() as folder:
        mnist = Path(folder) / "mnist.npz"
        save_mnist(mnist)
        for copies in options.copies:
            subprocess.run(
                [sys.executable, "-c", WRITE, str(mnist), folder, str(copies)],
                check=True,
                stderr=subprocess.DEVNULL,
            )
            for where in ("streamed", *(("in memory",) if copies <= LARGEST_IN_MEMORY else ())):
                refuse_load()
                done = subprocess.run(
                    [sys.executable, "-c", TRAIN, folder, where],
                    check=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                run = {
                    "images": copies * len(np.load(mnist)["y_train"]),
                    "where": where,
                } | json.loads(done.stdout.splitlines()[-1])
                result["runs"].append(run)
                print(run, flush=True)
    write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
