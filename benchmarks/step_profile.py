"""TensorFlow's own profile of one training step of lenet5, Keras' steps before and the graph engine's after, into results/profile.json.

For each: the wall time of a step, and by operation how often it runs in one and for how many microseconds, summed over all threads.
"""

from __future__ import annotations

import collections
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import RESULTS, describe_session, refuse_load, write_result

import lenet_tf

RESULT = RESULTS / "profile.json"
IMAGES, SIZE, SHOWN = 4000, 32, 12


def spent(folder: str, steps: int) -> list[dict]:
    """Of each kind of operation in the profile: its runs and microseconds in a step, the largest first."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    (file,) = Path(folder).rglob("*.xplane.pb")
    space.ParseFromString(file.read_bytes())
    times, runs = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                # Operations are told as name:Kind; the runtime's own bookkeeping is not, or as Class::Method.
                name, found, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if (
                    found
                    and not name.endswith(":")
                    and kind.isidentifier()
                    and kind.lstrip("_")[:1].isupper()
                ):
                    times[kind] += event.duration_ps / 1e6
                    runs[kind] += 1
    return [
        {"operation": kind, "runs": runs[kind] / steps, "us": total / steps}
        for kind, total in times.most_common()
    ]


def measure(loop: bool) -> dict:
    import numpy as np

    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    if loop:
        start_tensorflow()
    import tensorflow as tf

    # Keras' step as it is without this package: once TensorFlow has begun, its threads stay as they are.
    tf.constant(0)
    from lenet_tf.data.preprocessing import one_hot, prepare_images
    from lenet_tf.engine.graph_loop import GraphLoop

    data, spec = lenet_tf.load_data("mnist"), lenet_tf.get_spec("lenet5")
    model = lenet_tf.LeNet(spec, seed=0)
    model.jit_compile = False
    model.optimizer.build(model.trainable_variables)
    images, labels = data.x_train[:IMAGES], one_hot(data.y_train[:IMAGES], 10)
    if loop:
        model.graph_loop = GraphLoop(
            SIZE, 2, functools.partial(prepare_images, preparation=spec.preparation)
        )
        batches = tf.data.Dataset.from_tensors((images, labels))
    else:
        prepared = prepare_images(images, spec.preparation)
        batches = tf.data.Dataset.from_tensor_slices((prepared, labels)).batch(SIZE)

    def epoch() -> float:
        start = time.perf_counter()
        model.fit(batches, verbose=0)
        return time.perf_counter() - start

    epoch()
    steps = int(np.ceil(IMAGES / SIZE))
    wall = statistics.median(epoch() for _ in range(5)) / steps
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        epoch()
        tf.profiler.experimental.stop()
        return {"wall_us": wall * 1e6, "operations": spent(folder, steps)}


def render_markdown(result: dict) -> str:
    """Returns the README's table."""
    lines = [
        "| Keras' step | calls | µs | graph engine's step | calls | µs |",
        "|---|---|---|---|---|---|",
    ]

    def cells(part: dict) -> list[tuple[str, str, str]]:
        most = [
            (f"`{op['operation']}`", f"{op['runs']:.0f}", f"{op['us']:.0f}")
            for op in part["operations"][:SHOWN]
        ]
        rest = part["operations"][SHOWN:]
        all_runs, all_us = (sum(op[key] for op in part["operations"]) for key in ("runs", "us"))
        others = (
            "other",
            f"{sum(op['runs'] for op in rest):.0f}",
            f"{sum(op['us'] for op in rest):.0f}",
        )
        whole = ("total over all threads", f"{all_runs:.0f}", f"{all_us:.0f}")
        return [*most, others, whole, ("**wall time per step**", "", f"{part['wall_us']:.0f}")]

    for before, after in zip(cells(result["keras"]), cells(result["graph"]), strict=True):
        lines.append(f"| {' | '.join((*before, *after))} |")
    return "\n".join(lines)


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(loop=sys.argv[1] == "graph")))
        return
    refuse_load()
    result = describe_session()
    for way in ("keras", "graph"):
        command = [sys.executable, __file__, way]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        result[way] = json.loads(done.stdout.splitlines()[-1])
    write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
