"""Measure memory and time of an epoch on 600,000 to 60,000,000 streamed images, into scale.json.

`tiny` trains on 8×8 images: MNIST's, reduced, with other noise in each copy. `lenet5` trains on
28×28 images: MNIST and nine distorted copies, repeated; they are also held in memory. Every
measurement is a fresh process that trains one epoch, tests 10,000 images and prints its seconds,
also those of the processor, and its peak memory. Another one starts again on the same files, and
ends after its first step. The table has the processor's seconds, which other work changes least.
Usage: scale.py [--small N …] [--full N …] [--busy] [--keep]; 60,000,000 small images take 4 GB of
disk, 6,000,000 full ones 5 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import RESULTS, describe_session, refuse_load, save_mnist, write_result

RESULT = RESULTS / "scale.json"
# Memory holds the images twice, once in NumPy and once in TensorFlow.
LARGEST_IN_MEMORY = 600_000

SAVE_SMALL = """
import sys, numpy
data, folder, count = numpy.load(sys.argv[1]), sys.argv[2], int(sys.argv[3])
random = numpy.random.default_rng(0)
reduce = lambda images: images[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3).mean((2, 4)).astype("uint8")
images, labels = reduce(data["x_train"]), data["y_train"].astype("uint8")
header = lambda shape: {"descr": "|u1", "fortran_order": False, "shape": shape}
with open(f"{folder}/x_train.npy", "wb") as x, open(f"{folder}/y_train.npy", "wb") as y:
    numpy.lib.format.write_array_header_1_0(x, header((count, 8, 8)))
    numpy.lib.format.write_array_header_1_0(y, header((count,)))
    for start in range(0, count, len(images)):
        part = min(len(images), count - start)
        order = random.permutation(len(images))[:part]
        noise = random.integers(0, 32, (part, 8, 8), numpy.uint8)
        x.write((images[order] // 8 * 7 + noise).tobytes())
        y.write(labels[order].tobytes())
numpy.save(f"{folder}/x_test.npy", reduce(data["x_test"]))
numpy.save(f"{folder}/y_test.npy", data["y_test"])
"""

SAVE_FULL = """
import sys, numpy, tensorflow as tf
from lenet_tf.data.augmentation import distort
from lenet_tf.specs import AUGMENTATIONS
data, folder, copies = numpy.load(sys.argv[1]), sys.argv[2], int(sys.argv[3]) // 60_000
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
import time
start = time.monotonic()
import json, os, resource, sys, tempfile, keras, numpy, lenet_tf
folder, network, where, batch_size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def peak_mib():
    # A process inherits what resource returns from the one that started it.
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with open("/proc/self/status") as file:
        (line,) = [line for line in file if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class FirstStep(keras.callbacks.Callback):
    measured = None

    def on_train_batch_end(self, batch, logs=None):
        if self.measured is None:
            seconds = {"first_step": time.monotonic() - start}
            FirstStep.measured = seconds | {"first_step_processor": processor_seconds()}
            if where == "started again":
                print(json.dumps(self.measured | {"peak_mib": peak_mib()}), flush=True)
                os._exit(0)


if where == "in memory":
    names = ("x_train", "y_train", "x_test", "y_test")
    data = lenet_tf.RawData(*(numpy.load(f"{folder}/{name}.npy") for name in names))
else:
    data = lenet_tf.load_data(folder)
options = {"device": "cpu", "report": False, "quiet": True, "batch_size": batch_size or None}
options["board"] = lenet_tf.Board(images_every=0)
with tempfile.TemporaryDirectory() as logs:
    run = lenet_tf.fit(network, data, epochs=1, logs=logs, callbacks=FirstStep(), **options)
measured = FirstStep.measured | {"epoch": run.history["seconds"][0]}
measured["epoch_processor"] = processor_seconds() - measured["first_step_processor"]
measured |= {"peak_mib": peak_mib(), "test_accuracy": run.metrics["test_accuracy"]}
print(json.dumps(measured))
"""


def render_markdown(result: dict) -> str:
    """Returns the README's table."""
    lines = [
        "| network, images | storage | peak MiB | s to first step, and again | µs per image |",
        "|---|---|---|---|---|",
    ]
    for run in result["runs"]:
        first = [run, run["again"]] if "again" in run else [run]
        cells = (
            f"`{run['network']}`, {run['images']:,} of {run['size']}",
            run["where"],
            f"{run['peak_mib']:,.0f}",
            ", ".join(f"{each['first_step_processor']:.1f}" for each in first),
            f"{run['epoch_processor'] / run['images'] * 1e6:.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def run_script(script: str, *arguments: str) -> str:
    """Runs a script in a fresh process and returns what it prints."""
    command = [sys.executable, "-c", script, *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    return subprocess.run(command, check=True, **options).stdout


def measure(folder: str, network: str, where: str, batch_size: int) -> dict:
    """Trains an epoch in a fresh process."""
    printed = run_script(TRAIN, folder, network, where, str(batch_size))
    return json.loads(printed.splitlines()[-1])


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    small = [600_000, 6_000_000, 60_000_000]
    parser.add_argument("--small", type=int, nargs="*", default=small)
    parser.add_argument("--full", type=int, nargs="*", default=[60_000, 600_000, 6_000_000])
    parser.add_argument("--busy", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--keep", action="store_true", help="keep the other runs of scale.json")
    options = parser.parse_args()
    sets = [
        *((SAVE_SMALL, "8×8", "tiny", 500, count) for count in options.small),
        *((SAVE_FULL, "28×28", "lenet5", 0, count) for count in options.full),
    ]
    result = describe_session() | {"runs": []}
    if options.keep:
        result = json.loads(RESULT.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as root:
        mnist = Path(root) / "mnist.npz"
        save_mnist(mnist)
        for script, size, network, batch_size, count in sets:
            with tempfile.TemporaryDirectory(dir=root) as folder:
                run_script(script, str(mnist), folder, str(count))
                is_small = network == "lenet5" and count <= LARGEST_IN_MEMORY
                for where in ("streamed", *(("in memory",) if is_small else ())):
                    if not options.busy:
                        refuse_load()
                    run = {"network": network, "images": count, "size": size, "where": where}
                    run |= measure(folder, network, where, batch_size)
                    if where == "streamed":
                        run["again"] = measure(folder, network, "started again", batch_size)
                    print(run, flush=True)
                    names = ("network", "images", "where")
                    others = [
                        each
                        for each in result["runs"]
                        if any(each[name] != run[name] for name in names)
                    ]
                    result["runs"] = [*others, run | {"busy": options.busy}]
                    write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
