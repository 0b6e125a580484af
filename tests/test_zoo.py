"""Models and runs of other versions (see tests/zoo/make.py) open, or are refused by version."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from quick import resume

import lenet_tf
from lenet_tf.errors import RunError
from lenet_tf.runs import run_record

ZOO = sorted(path.parent for path in (Path(__file__).parent / "zoo").glob("*/*/config.json"))
FORMATS = {path: int(re.match(r"format-(\d+)-", path.parent.name)[1]) for path in ZOO}


def format_id(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


def test_the_zoo_has_every_format_and_the_oldest_and_newest_keras():
    assert set(FORMATS.values()) == set(range(1, run_record.FORMAT + 1))
    assert {
        path.parent.name.rpartition("-")[2] for path in ZOO if FORMATS[path] == run_record.FORMAT
    } >= {"3.12.0", "3.15.1"}


@pytest.mark.parametrize("path", ZOO, ids=format_id)
def test_a_model_of_another_version_predicts_the_same_or_is_refused(path, digits):
    if FORMATS[path] == 1:
        versions = (
            rf"It was saved by lenet_tf before 0\.2\.0; this is lenet_tf {lenet_tf.__version__}"
        )
        with pytest.raises(RunError, match=versions):
            lenet_tf.load_model(path / "final.keras")
        return
    model = lenet_tf.load_model(path / "final.keras")
    images = lenet_tf.prepare_images(digits.x_test[:10], model.spec.preparation)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model(images)), np.load(path / "answers.npy"), atol=1e-5
    )
    assert int(model.optimizer.iterations) in (5, 240), "the optimizer's state"


@pytest.mark.parametrize(
    "path", [path for path in ZOO if path.name != "interrupted"], ids=format_id
)
def test_a_run_of_another_version_is_read_or_refused(path):
    if FORMATS[path] in run_record.READABLE_FORMATS:
        assert run_record.read_run(path).read_metrics()["epochs"] == 1
        return
    with pytest.raises(
        RunError,
        match=rf"has format {FORMATS[path]} of lenet_tf 0\.\d\.\d; this is lenet_tf"
        rf" {lenet_tf.__version__}, which reads",
    ):
        run_record.read_run(path)


@pytest.mark.parametrize(
    "path", [path for path in ZOO if path.name == "interrupted"], ids=format_id
)
def test_an_interrupted_run_of_another_version_resumes_or_is_refused(
    path, digits, tmp_path, capsys
):
    folder = Path(shutil.copytree(path, tmp_path / path.name))
    if FORMATS[path] < 3:
        with pytest.raises(RunError, match=r"format \d"):
            resume(folder, digits)
        return
    run = resume(folder, digits)
    assert (run.metrics["epochs"], run.metrics["resumed"]) == (2, [1])
    then = run_record.read_run(path).config["versions"]["keras"]
    assert (
        f"keras is {keras.__version__} here, but the run started with {then}"
        in capsys.readouterr().out
    ) == (then != keras.__version__)
