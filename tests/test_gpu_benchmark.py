"""`benchmarks/gpu.py` on a processor: a few images, within its limit, or refused."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from processes import python

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"
ENVIRONMENT = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}


@pytest.mark.slow
def test_the_gpu_benchmark_refuses_a_machine_without_one(tmp_path):
    result = tmp_path / "gpu.json"
    done = python(str(SCRIPT), "--output", str(result), env=ENVIRONMENT)
    assert done.returncode == 1
    assert "Error: device 'gpu' is unavailable: " in done.stderr
    assert "--quick" in done.stderr and "Traceback" not in done.stderr
    assert not result.exists()


@pytest.mark.slow
def test_the_gpu_benchmark_runs_on_a_few_images(tmp_path):
    result = tmp_path / "gpu.json"
    arguments = ("--quick", "--cases", "precisions,accurate", "--output", str(result))
    done = python(str(SCRIPT), *arguments, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    measured = json.loads(result.read_text())
    assert measured["quick"] is True and measured["left_out"] == []
    names = [f"lenet5, batch 128, keras, {name}" for name in PRECISIONS]
    names.append("lenet5-modern, accurate, 2 epochs")
    assert list(measured["cases"]) == names
    for case in measured["cases"].values():
        assert case["epoch"] > 0 and 0 <= case["test_accuracy"] <= 1
    assert all(f"| {name} |" in done.stdout for name in names)


# Without TF32, which only a GPU has.
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@pytest.mark.slow
def test_the_gpu_benchmark_leaves_out_what_comes_too_late(tmp_path):
    result = tmp_path / "gpu.json"
    arguments = ("--quick", "--cases", "fast,accurate", "--limit", "0", "--output", str(result))
    done = python(str(SCRIPT), *arguments, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert json.loads(result.read_text())["left_out"] == [
        "lenet5-modern, fast",
        "lenet5-modern, accurate, 2 epochs",
    ]
    assert "Left out: lenet5-modern, fast; " in done.stdout


@pytest.mark.slow
def test_the_gpu_benchmark_measures_several_devices():
    """Without --output nothing is written: the result of a GPU stays."""
    result = SCRIPT.parents[1] / "results" / "gpu.json"
    before = result.read_bytes() if result.exists() else None
    arguments = ("--quick", "--cases", "loops", "--device", "cpu:0,cpu:1")
    done = python(str(SCRIPT), *arguments, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert re.match(r"CPU, \d+ cores as 2 devices\n", done.stdout)
    assert re.findall(r"lenet5, batch (\d+), mirrored", done.stdout) == ["32", "128", "1024"]
    assert (result.read_bytes() if result.exists() else None) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cases", "loops,acurate"), "unknown case 'acurate': choose some of start, loops, fast"),
        (("--output", "missing/gpu.json"), "--output: the folder missing does not exist"),
    ],
)
def test_the_gpu_benchmark_refuses_mistakes_before_it_measures(arguments, message):
    done = python(str(SCRIPT), *arguments, env=ENVIRONMENT)
    assert done.returncode == 2
    assert message in done.stderr and done.stdout == ""
