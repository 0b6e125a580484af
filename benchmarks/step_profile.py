"""Profile one training step of lenet5, in Keras' loop and the graph engine.

TensorFlow's profiler counts how often each operation runs in a step and for how many microseconds,
summed over all threads. The wall time of a step is measured without the profiler. Usage:
step_profile.py on a quiet machine.
"""

from __future__ import annotations

import collections
import functools
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

from common import RESULTS, describe_session, refuse_load, write_result

import lenet_tf

RESULT = RESULTS / "profile.json"
IMAGES, BATCH_SIZE, MAX_ROWS = 4000, 32, 12


def read_profile(folder: str, steps: int) -> list[dict]:
    """Returns calls and microseconds per step by kind of operation, the slowest first."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    (path,) = Path(folder).rglob("*.xplane.pb")
    space.ParseFromString(path.read_bytes())
    microseconds, calls = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for event in chain.from_iterable(line.events for line in plane.lines):
            kind = find_operation_kind(plane.event_metadata[event.metadata_id].name)
            if kind:
                microseconds[kind] += event.duration_ps / 1e6
                calls[kind] += 1
    # "runs" is the name in the committed results.
    return [
        {"operation": kind, "runs": calls[kind] / steps, "us": total / steps}
        for kind, total in microseconds.most_common()
    ]


def find_operation_kind(event_name: str) -> str | None:
    """Returns the kind of operation of an event, None for an event of the runtime itself.

    Operations are named name:Kind, events of the runtime name or Class::Method.
    """
    name, colon, kind = event_name.rpartition(":")
    is_operation = (
        colon and not name.endswith(":") and kind.isidentifier() and kind.lstrip("_")[:1].isupper()
    )
    return kind if is_operation else None


def build_training(use_graph_loop: bool) -> tuple[Any, Any]:
    """Returns a compiled model and the dataset of one epoch."""
    import tensorflow as tf

    from lenet_tf.data.preprocessing import one_hot, prepare_images
    from lenet_tf.engine.graph_loop import GraphLoop

    data, spec = lenet_tf.load_data("mnist"), lenet_tf.get_spec("lenet5")
    model = lenet_tf.LeNet(spec, seed=0)
    model.jit_compile = False
    model.optimizer.build(model.trainable_variables)
    images, labels = data.x_train[:IMAGES], one_hot(data.y_train[:IMAGES], 10)
    if use_graph_loop:
        prepare = functools.partial(prepare_images, preparation=spec.preparation)
        model.graph_loop = GraphLoop(BATCH_SIZE, 2, prepare)
        return model, _without_autotuner(tf.data.Dataset.from_tensors((images, labels)))
    prepared = prepare_images(images, spec.preparation)
    batches = tf.data.Dataset.from_tensor_slices((prepared, labels)).batch(BATCH_SIZE)
    return model, _without_autotuner(batches)


def _without_autotuner(batches: Any) -> Any:
    """Returns batches whose end does not wait for the autotuner's thread, which may sleep."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def measure(use_graph_loop: bool) -> dict:
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    if use_graph_loop:
        start_tensorflow()
    import tensorflow as tf

    # The first operation fixes TensorFlow's threads. Keras' loop keeps TensorFlow's own defaults.
    tf.constant(0)
    model, batches = build_training(use_graph_loop)

    def train_epoch() -> float:
        start = time.perf_counter()
        model.fit(batches, verbose=0)
        return time.perf_counter() - start

    train_epoch()
    steps = math.ceil(IMAGES / BATCH_SIZE)
    wall = statistics.median(train_epoch() for _ in range(5)) / steps
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        train_epoch()
        tf.profiler.experimental.stop()
        return {"wall_us": wall * 1e6, "operations": read_profile(folder, steps)}


def list_cells(profile: dict) -> list[tuple[str, str, str]]:
    """Returns operation, calls and microseconds for each row of the table."""

    def add_up(name: str, operations: list[dict]) -> tuple[str, str, str]:
        calls, total = (sum(operation[key] for operation in operations) for key in ("runs", "us"))
        return name, f"{calls:.0f}", f"{total:.0f}"

    operations = profile["operations"]
    return [
        *(
            add_up(f"`{operation['operation']}`", [operation])
            for operation in operations[:MAX_ROWS]
        ),
        add_up("other", operations[MAX_ROWS:]),
        add_up("total over all threads", operations),
        ("**wall time per step**", "", f"{profile['wall_us']:.0f}"),
    ]


def render_markdown(result: dict) -> str:
    """Returns the README's table."""
    lines = [
        "| Keras' step | calls | µs | graph engine's step | calls | µs |",
        "|---|---|---|---|---|---|",
    ]
    for cells in zip(list_cells(result["keras"]), list_cells(result["graph"]), strict=True):
        lines.append(f"| {' | '.join(chain.from_iterable(cells))} |")
    return "\n".join(lines)


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(use_graph_loop=sys.argv[1] == "graph")))
        return
    refuse_load()
    result = describe_session()
    for loop in ("keras", "graph"):
        command = [sys.executable, __file__, loop]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        output = subprocess.run(command, check=True, **options).stdout
        result[loop] = json.loads(output.splitlines()[-1])
    write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
