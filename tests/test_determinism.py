"""The same seed gives the same weights, bit for bit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from interrupted_runs import assert_equal_states
from processes import python
from quick import fit

from lenet_tf.runs import run_record


@pytest.mark.cpu
def test_the_same_seed_gives_the_same_weights(tiny_run, digits, tmp_path):
    options = {"epochs": 2, "batch_size": 30, "device": "cpu", "logs": tmp_path, "quiet": True}
    repeated = fit("tiny", digits, seed=7, **options)
    other = fit("tiny", digits, seed=8, **options)
    assert_equal_states(tiny_run.model, repeated.model)
    assert tiny_run.history["loss"] == repeated.history["loss"]
    differs = [
        not np.array_equal(a, b)
        for a, b in zip(tiny_run.model.get_weights(), other.model.get_weights(), strict=True)
    ]
    assert any(differs)


def test_a_random_seed_is_recorded(digits, tmp_path):
    run = fit("tiny", digits, seed=None, device="cpu", logs=tmp_path, quiet=True)
    seed = run_record.read_config(run.path)["seed"]
    repeated = fit("tiny", digits, seed=seed, device="cpu", logs=tmp_path, quiet=True)
    assert_equal_states(run.model, repeated.model)


@pytest.mark.slow
@pytest.mark.determinism
@pytest.mark.cpu
def test_two_processes_give_the_same_weights(tmp_path):
    """Hash seeds and earlier runs of the process change nothing."""
    script = (
        "import lenet_tf, hashlib, sys\n"
        "data = lenet_tf.load_data('sample')\n"
        "options = {'epochs': 1, 'logs': sys.argv[1], 'device': 'cpu', 'quiet': True}\n"
        "for seed in map(int, sys.argv[2]):\n"
        "    run = lenet_tf.fit('lenet5', data, seed=seed, **options)\n"
        "    weights = b''.join(weight.tobytes() for weight in run.model.get_weights())\n"
        "    print(hashlib.sha256(weights).hexdigest())"
    )
    hashes = []
    for hash_seed, seeds in (("1", "0"), ("2", "01")):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        process = python("-c", script, str(tmp_path), seeds, env=environment)
        assert process.returncode == 0, process.stderr[-2000:]
        hashes += process.stdout.split()[-len(seeds) :]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.slow
@pytest.mark.determinism
@pytest.mark.cpu
def test_deterministic_operations_are_used_and_recorded(tmp_path):
    script = (
        "import lenet_tf, sys\n"
        "data = lenet_tf.load_data('sample')\n"
        "options = {'seed': 1, 'logs': sys.argv[1], 'quiet': True, 'deterministic': True}\n"
        "runs = [lenet_tf.fit('tiny', data, **options) for _ in range(2)]\n"
        "from tensorflow.python.framework import config\n"
        "assert config.is_op_determinism_enabled()\n"
        "weights = [run.model.get_weights() for run in runs]\n"
        "assert all((a == b).all() for a, b in zip(*weights, strict=True))\n"
        "print(runs[0].path)"
    )
    process = python("-c", script, str(tmp_path))
    assert process.returncode == 0, process.stderr[-2000:]
    config = run_record.read_config(Path(process.stdout.split()[-1]))
    assert config["settings"]["deterministic"] is True
