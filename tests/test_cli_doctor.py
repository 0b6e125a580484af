"""`lenet-tf doctor`."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import PackageNotFoundError

import pytest
from processes import python


def test_doctor_names_what_is_missing_and_its_remedy(cli, offline):
    result = cli("doctor")
    assert result.exit_code == 0
    for package in ("tensorflow", "lenet_tf"):
        assert re.search(rf"✓ {package} +\d", result.output), package
    assert re.search(r"✓ other packages +.*importlib_resources==\d.* mlxtend==\d", result.output)
    assert re.search(r"✓ device +.*CPU", result.output)
    assert re.search(r"! data mnist +mnist is unavailable", result.output)
    assert "→ Put t10k-images-idx3-ubyte.gz" in result.output
    last = result.output.splitlines()[-1]
    assert re.fullmatch(r"Training works \(.*lenet-tf train\)\. The lines marked ! say .*", last)


def test_doctor_sees_originals(cli, offline, originals):
    output = cli("doctor", "--originals", originals).output
    assert "✓ data mnist           from the originals" in output


def test_doctor_prints_nothing_on_stderr(tmp_path):
    """Neither TensorFlow's C++ log nor TFDS' warnings."""
    unset = ("TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"TFDS_DATA_DIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    done = python("-m", "lenet_tf", "doctor", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ device " in done.stdout
    has_problems = re.search("^!", done.stdout, re.MULTILINE)
    conclusion = "Training works" if has_problems else "All is well. Train LeNet-5: "
    assert done.stdout.splitlines()[-1].startswith(conclusion)


def test_doctor_names_a_missing_package(cli, offline, monkeypatch):
    from lenet_tf.cli import doctor_checks

    def version(name):
        if name == "mlxtend":
            raise PackageNotFoundError(name)
        return "0.3.0" if name == "lenet_tf" else "999"

    monkeypatch.setattr(doctor_checks, "version", version)
    result = cli("doctor")
    assert result.exit_code == 1
    assert re.search(r"! mlxtend +not installed\n +→ make install", result.output)
    assert "Training does not work yet: fix the lines marked !" in result.output


def test_doctor_names_a_package_that_is_too_old(cli, monkeypatch):
    from lenet_tf.cli import doctor_checks

    monkeypatch.setattr(
        doctor_checks, "version", lambda name: "0.9" if name == "keras" else "999.0"
    )
    result = cli("doctor")
    assert result.exit_code == 1
    assert re.search(r"! keras +0\.9, and lenet_tf needs >=3\.\d+\n +→ make inst", result.output)


@pytest.mark.parametrize(
    "package", ["tensorflow", pytest.param("tensorflow_datasets", marks=pytest.mark.slow)]
)
def test_doctor_survives_a_package_that_does_not_load(offline, package):
    script = (
        f"import sys; sys.modules[{package!r}] = None;"
        "from lenet_tf.cli import main; main(['doctor'])"
    )
    done = python("-c", script, env=os.environ | {"PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 1, done.stderr
    assert "a package does not load" in done.stdout
    assert "→ make clean install" in done.stdout
    assert "data fashion_mnist" in done.stdout, "the following checks still run"


@pytest.mark.parametrize(
    ("gpus", "state"),
    [
        ([], "none; cpu:0 to cpu:3 are parts of this processor, for trying it out (--device cpu:0"),
        (["T4"], "one GPU; cpu:0 to cpu:3 are parts of this processor"),
        (["A100"] * 2, "--device gpu:all trains on 2 GPUs together\n"),
        (["A100", "A100", "T4"], "on 3 GPUs together, and each step waits for the slowest of them"),
    ],
)
def test_doctor_names_the_devices_that_train_together(cli, offline, monkeypatch, gpus, state):
    from lenet_tf.runtime import device, several_devices

    monkeypatch.setattr(device, "list_gpus", lambda: gpus)
    monkeypatch.setattr(several_devices, "usable_cores", lambda: 4)
    result = cli("doctor")
    assert result.exit_code == 0
    (line,) = re.findall(r"✓ several devices      (.*\n)", result.output)
    assert state in line


def test_doctor_names_a_cluster_and_its_remedy(cli, offline, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["a:1", "b:2"]}}))
    result = cli("doctor")
    assert result.exit_code == 1
    assert re.search(
        r"! setting TF_CONFIG +TF_CONFIG names a cluster of 2 workers, .*keras/issues/20585\)\n"
        r" +→ unset TF_CONFIG\n",
        result.output,
    )
    assert re.search(r"✓ device +CPU", result.output)
    assert "data fashion_mnist" in result.output, "the following checks still run"
