"""Start fresh processes in which four threads call `fit` at once.

    python soak/fit_in_threads.py --starts 100

Each process imports lenet_tf, Keras and TensorFlow for the first time in its threads, which a
barrier releases together. It must end in time, with four finished runs that equal a run alone.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from runs import ROOT

THREADS = 4
# Far more than a start takes on a busy machine.
MAX_SECONDS = 1200
# Prints the history of each run, without times.
CHILD = """
import faulthandler, json, sys, threading
threads, logs, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
# Shows where a process hangs or crashes.
faulthandler.enable()
faulthandler.dump_traceback_later(seconds, exit=True)
barrier = threading.Barrier(threads)
histories, errors = [], []

def train(number):
    barrier.wait()
    try:
        import dataclasses, lenet_tf
        data = lenet_tf.load_data("sample")
        parts = {"x_train": 300, "y_train": 300, "x_test": 100, "y_test": 100}
        parts = {name: getattr(data, name)[:count] for name, count in parts.items()}
        run = lenet_tf.fit(
            "tiny", dataclasses.replace(data, **parts), logs=f"{logs}/{number}", quiet=True,
            report=False, board=lenet_tf.Board(images_every=number % 2, histograms=()),
        )
        histories.append({k: v for k, v in run.history.items() if k != "seconds"})
    except BaseException as error:
        errors.append(f"{type(error).__name__}: {error}")
        raise

workers = [threading.Thread(target=train, args=(number,)) for number in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(json.dumps({"histories": histories, "errors": errors}))
"""


def start(threads: int, seconds: float) -> tuple[str, list[dict[str, list[float]]]]:
    """Runs a process and returns how it ended, with the histories of its runs."""
    with tempfile.TemporaryDirectory(prefix="lenet-threads-") as logs:
        command = [sys.executable, "-c", CHILD, str(threads), logs, str(seconds)]
        process = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        finished = len(list(Path(logs).glob("*/fit/*/metrics.json")))
    if "Timeout (" in process.stderr:
        return f"hang\n{process.stderr[-6000:]}", []
    if process.returncode < 0:
        return f"{signal.Signals(-process.returncode).name}\n{process.stderr[-6000:]}", []
    if process.returncode:
        return f"exit code {process.returncode}\n{process.stderr[-3000:]}", []
    result = json.loads(process.stdout.splitlines()[-1])
    if result["errors"]:
        return f"{result['errors'][0]}\n{process.stderr[-3000:]}", []
    if finished != threads:
        return f"{finished} of {threads} runs finished", []
    return "finished", result["histories"]


def main() -> None:
    """Start the processes and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=100)
    result = ROOT / "results" / "fit_in_threads.json"
    parser.add_argument("--result", type=Path, default=result)
    options = parser.parse_args()
    begin = time.monotonic()
    end, (expected,) = start(1, MAX_SECONDS)
    assert end == "finished", end
    ends: Counter[str] = Counter()
    for number in range(options.starts):
        end, histories = start(THREADS, MAX_SECONDS)
        if any(history != expected for history in histories):
            end = "differs from a run alone"
        ends[end.splitlines()[0]] += 1
        if end != "finished":
            print(f"start {number}: {end}", file=sys.stderr, flush=True)
        elif not (number + 1) % 10:
            print(f"{number + 1} of {options.starts}", file=sys.stderr, flush=True)
    minutes = round((time.monotonic() - begin) / 60)
    result = {"starts": options.starts, "threads": THREADS, "minutes": minutes, "ends": dict(ends)}
    options.result.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
    sys.exit(ends["finished"] != options.starts)


if __name__ == "__main__":
    main()
