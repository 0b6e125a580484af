"""A real TensorBoard process over two runs, asked over HTTP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

import lenet_tf


@pytest.fixture(scope="module")
def server(digits, tmp_path_factory):
    """(address, runs) of `tensorboard --logdir logs`."""
    folder = tmp_path_factory.mktemp("board")
    logs = folder / "logs"
    runs = [lenet_tf.fit("tiny", digits, epochs=2, seed=seed, logs=logs, quiet=True) for seed in (1, 2)]
    output = folder / "output.txt"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", "0", "--host", "127.0.0.1"]
    with output.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        address = None
        for _ in range(600):
            found = re.search(r"http://127\.0\.0\.1:(\d+)", output.read_text())
            if found:
                address = found[0]
                break
            assert process.poll() is None, output.read_text()
            time.sleep(0.1)
        assert address, output.read_text()
        yield address, runs
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(address, path, **query):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
        return json.load(answer)


def eventually(question, ready):
    """TensorBoard reads the event files in the background."""
    for _ in range(300):
        answer = question()
        if ready(answer):
            return answer
        time.sleep(0.1)
    raise AssertionError(answer)


def test_train_and_validation_scalars_are_served(server):
    address, runs = server
    names = {f"fit/{run.path.name}/{part}" for run in runs for part in ("train", "validation")}
    tags = eventually(lambda: ask(address, "/data/plugin/scalars/tags"), lambda answer: names <= set(answer))
    for run in runs:
        for part, prefix in (("train", ""), ("validation", "val_")):
            name = f"fit/{run.path.name}/{part}"
            for metric in ("accuracy", "loss"):
                assert f"epoch_{metric}" in tags[name]
                points = eventually(
                    lambda name=name, metric=metric: ask(address, "/data/plugin/scalars/scalars", run=name, tag=f"epoch_{metric}"),
                    lambda answer: len(answer) == 2,
                )
                assert [value for _, _, value in points] == pytest.approx(run.history[prefix + metric])
    assert "epoch_learning_rate" in tags[f"fit/{runs[0].path.name}/train"]


def test_histograms_are_served(server):
    address, runs = server
    name = f"fit/{runs[0].path.name}/train"
    tags = eventually(lambda: ask(address, "/data/plugin/histograms/tags"), lambda answer: name in answer)
    assert {"C1/kernel/histogram", "OUTPUT/kernel/histogram"} <= set(tags[name])
