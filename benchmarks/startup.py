"""How long a person waits: whole `lenet-tf` processes that need no TensorFlow, and what training and predicting spend before they begin.

Median and range, after one run to warm the disk cache.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time

RUNS, RUNS_WITH_TENSORFLOW = 15, 5
COMMANDS = (["--help"], ["summary", "lenet5"], ["variants"], ["train", "--help"])

# Seconds from the start of the process to the end of each phase.
PHASES = """
import time
start = time.perf_counter()
import json, sys, tempfile, lenet_tf
from lenet_tf.runtime.tensorflow_start import start_tensorflow
start_tensorflow()
done = {"TensorFlow imported": time.perf_counter() - start}
data = lenet_tf.load_data("mnist")
done["data read"] = time.perf_counter() - start
fit = lenet_tf.fit
import keras

class Watch(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        done["network built"] = time.perf_counter() - start

    def on_train_batch_end(self, batch, logs=None):
        done.setdefault("first call of 125 steps done", time.perf_counter() - start)

with tempfile.TemporaryDirectory() as logs:
    if sys.argv[1] == "train":
        plain = {"board": lenet_tf.Board(images_every=0), "report": False, "quiet": True}
        fit("lenet5", data, epochs=1, device="cpu", logs=logs, callbacks=[Watch()], **plain)
    else:
        model = lenet_tf.load_model(sys.argv[2])
        done["model loaded"] = time.perf_counter() - start
        lenet_tf.predict(model, data.x_test[:1])
        done["one image predicted"] = time.perf_counter() - start
print(json.dumps(done))
"""


SAVE = "import lenet_tf, sys; lenet_tf.LeNet('lenet5', seed=0).save(sys.argv[1])"


def phases(what: str, model: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", PHASES, what, model],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "lenet_tf", *arguments], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {platform.machine()}, {RUNS} runs each; seconds")
    print(f"{'command':<28}{'median':>8}{'least':>8}{'most':>8}")
    for arguments in COMMANDS:
        seconds(arguments)
        times = [seconds(arguments) for _ in range(RUNS)]
        print(
            f"lenet-tf {' '.join(arguments):<19}{statistics.median(times):>8.3f}{min(times):>8.3f}{max(times):>8.3f}"
        )
    folder = tempfile.TemporaryDirectory()
    model = f"{folder.name}/model.keras"
    subprocess.run([sys.executable, "-c", SAVE, model], check=True, stderr=subprocess.DEVNULL)
    for what in ("train", "predict"):
        phases(what, model)
        answers = [phases(what, model) for _ in range(RUNS_WITH_TENSORFLOW)]
        print(f"{what}: seconds from the start of the process, {RUNS_WITH_TENSORFLOW} runs")
        for phase in answers[0]:
            times = [answer[phase] for answer in answers]
            print(
                f"  {phase:<35}{statistics.median(times):>8.2f}{min(times):>8.2f}{max(times):>8.2f}"
            )
