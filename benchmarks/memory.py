"""Measure how much memory each further `fit` in one process takes.

Every way to train runs in a fresh process: the graph engine, Keras' own steps (engine keras), and
the same network without this package, each with and without `keras.utils.clear_session` after every
fit. Printed are the resident memory after the 10th and the last fit, its growth per fit between
the two, and the graphs that are still alive. Usage: memory.py [--fits N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

FIRST = 10

TRAIN = """
import gc, json, sys, tempfile, keras, lenet_tf, tensorflow as tf
way, clears, fits, first = sys.argv[1], sys.argv[2] == "True", int(sys.argv[3]), int(sys.argv[4])
data = lenet_tf.load_data("sample")
board = lenet_tf.Board(images_every=0, histograms=())
x, x_test = ((images[..., None] / 255).astype("float32") for images in (data.x_train, data.x_test))


def train(logs):
    if way != "plain":
        options = {"engine": way, "board": board, "report": False, "quiet": True, "logs": logs}
        lenet_tf.fit("lenet5", data, epochs=1, **options)
        return
    kinds = keras.layers
    layers = [
        kinds.Conv2D(6, 5, padding="same", activation="tanh"),
        kinds.AveragePooling2D(2),
        kinds.Conv2D(16, 5, activation="tanh"),
        kinds.AveragePooling2D(2),
        kinds.Flatten(),
        *(kinds.Dense(units, activation="tanh") for units in (120, 84)),
        kinds.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, data.y_train, epochs=1, validation_split=0.1, verbose=0)
    model.evaluate(x_test, data.y_test, verbose=0)


def measure():
    gc.collect()
    with open("/proc/self/status") as file:
        (line,) = [line for line in file if line.startswith("VmRSS")]
    graphs = [each for each in gc.get_objects() if isinstance(each, tf.Graph)]
    operations = sum(len(graph.get_operations()) for graph in graphs)
    return {"mib": int(line.split()[1]) / 1024, "graphs": len(graphs), "operations": operations}


measured = []
with tempfile.TemporaryDirectory() as logs:
    for number in range(fits):
        train(logs)
        if clears:
            keras.utils.clear_session()
        if number + 1 in (first, fits):
            measured.append(measure())
print(json.dumps(measured))
"""


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--fits", type=int, default=60)
    fits = parser.parse_args().fits
    print("| steps | clear_session | MiB after the 10th | after the last | MiB per fit | graphs |")
    print("|---|---|---|---|---|---|")
    for way in ("graph", "keras", "plain"):
        for clears in (False, True):
            command = [sys.executable, "-c", TRAIN, way, str(clears), str(fits), str(FIRST)]
            result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            first, last = json.loads(result.stdout.splitlines()[-1])
            growth = (last["mib"] - first["mib"]) / (fits - FIRST)
            cells = (way, "yes" if clears else "no", f"{first['mib']:,.0f}", f"{last['mib']:,.0f}")
            print(f"| {' | '.join(cells)} | {growth:.1f} | {last['graphs']} |", flush=True)


if __name__ == "__main__":
    main()
