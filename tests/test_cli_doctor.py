"""`lenet-tf doctor`."""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError

import pytest
from processes import python


def test_doctor_names_what_is_missing_and_its_remedy(cli, offline):
    result = cli("doctor")
    assert result.exit_code == 0
    for package in ("tensorflow", "mlxtend", "importlib_resources", "lenet_tf"):
        assert re.search(rf"✓ {package} +\d", result.output), package
    assert re.search(r"✓ device +.*CPU", result.output)
    assert re.search(r"! data mnist +mnist is unavailable", result.output)
    assert "→ Put t10k-images-idx3-ubyte.gz" in result.output


def test_doctor_sees_originals(cli, offline, originals):
    assert (
        "✓ data mnist           from the originals"
        in cli("doctor", "--originals", originals).output
    )


def test_doctor_names_a_missing_package(cli, offline, monkeypatch):
    from lenet_tf.cli import doctor_checks

    def version(name):
        if name == "mlxtend":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor_checks, "version", version)
    result = cli("doctor")
    assert result.exit_code == 1
    assert re.search(r"! mlxtend +not installed\n +→ make install", result.output)


@pytest.mark.parametrize("package", ["tensorflow", "tensorflow_datasets"])
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
