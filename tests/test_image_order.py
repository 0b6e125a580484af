"""The published order of images from every source, and runs that were trained in TFDS' order."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick import fit, resume

from lenet_tf.data import image_order
from lenet_tf.data.sources import load_data
from lenet_tf.data.sources.idx import load_idx_folder
from lenet_tf.errors import RunError
from lenet_tf.runs import run_record

# The first labels of the published training and test files.
LABELS = {
    "mnist": ([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]),
    "fashion_mnist": ([9, 0, 0, 3, 0, 2, 7, 2, 5, 5], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]),
}


@pytest.mark.parametrize("name", LABELS)
def test_originals_are_in_the_published_order(monkeypatch, tmp_path, originals, name):
    """The files are read directly; TFDS prepares nothing."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    data, published = load_data(name, originals), load_idx_folder(originals / name)
    assert (data.source, data.name, data.version) == ("originals", name, "3.0.1")
    assert (data.y_train[:10].tolist(), data.y_test[:10].tolist()) == LABELS[name]
    for part in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(data, part), getattr(published, part))
    assert not (tmp_path / "tfds").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", LABELS)
def test_a_cache_that_tfds_prepared_is_reordered(monkeypatch, tmp_path, originals, name):
    """TFDS' own loader shuffles the images; ours returns the published order."""
    import tensorflow_datasets as tfds

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    config = tfds.download.DownloadConfig(
        manual_dir=originals / name, extract_dir=tmp_path / "extracted", try_download_gcs=False
    )
    builder = tfds.builder(name, data_dir=tmp_path)
    builder.download_and_prepare(download_config=config)
    shuffled = next(iter(tfds.as_numpy(builder.as_dataset(split="test", batch_size=10))))["label"]
    assert shuffled.tolist() != LABELS[name][1]
    published = load_idx_folder(originals / name)
    for _ in range(2):  # decoded, then cached
        data = load_data(name)
        assert data.source == "cache"
        for part in ("x_train", "y_train", "x_test", "y_test"):
            np.testing.assert_array_equal(getattr(data, part), getattr(published, part))


def test_reordering_and_back(digits):
    again = image_order.to_published_order(image_order.to_tfds_order(digits))
    assert again.sha256 == digits.sha256
    assert image_order.to_tfds_order(digits).sha256 != digits.sha256


@pytest.fixture
def mnist(digits):
    """300 training and 100 test digits under the name of MNIST."""
    return replace(digits, name="mnist", version="3.0.1", source="originals")


@pytest.fixture
def old_run(mnist, tmp_path):
    """An interrupted run in TFDS' order, as before 0.3.0, and the same run uninterrupted."""
    import keras

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("the power went out")

    shuffled = image_order.to_tfds_order(mnist)
    options = {"epochs": 2, "validation": "test", "seed": 1, "device": "cpu", "quiet": True}
    complete = fit("tiny", shuffled, logs=tmp_path / "complete", **options)
    with pytest.raises(RuntimeError, match="the power went out"):
        fit("tiny", shuffled, logs=tmp_path / "logs", callbacks=[Stop()], **options)
    (folder,) = (tmp_path / "logs" / "fit").iterdir()
    return folder, complete


BOTH_ORDERS = (
    r"TFDS' shuffled order \(test image 0 is a \d\).*published order \(test image 0 is a \d\)"
)


def test_a_run_in_tfds_order_resumes_in_it(old_run, mnist, capsys):
    """The weights are bit-identical, and a notice names both orders."""
    folder, complete = old_run
    run = resume(folder, mnist, report=False)
    output = capsys.readouterr().out
    assert f"test image 0 is a {image_order.to_tfds_order(mnist).y_test[0]})" in output
    assert f"test image 0 is a {mnist.y_test[0]})" in output
    for expected, actual in zip(complete.model.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_other_data_are_rejected(old_run, mnist):
    folder, _ = old_run
    changed = mnist.x_test.copy()
    changed[0, 0, 0] += 1
    with pytest.raises(RunError, match="was trained on other mnist data"):
        resume(folder, replace(mnist, x_test=changed), report=False)


@pytest.mark.slow
def test_the_command_names_both_orders(old_run, mnist, cli, monkeypatch):
    """`evaluate`, `report` and `train --from-run` do; the last uses the run's own order."""
    folder, complete = old_run
    resume(folder, mnist, report=False, quiet=True)
    monkeypatch.setattr("lenet_tf.data.sources.load_data", lambda *_, **__: mnist)
    evaluated = cli("evaluate", "--json", folder)
    assert json.loads(evaluated.stdout)["accuracy"] == pytest.approx(
        complete.metrics["test_accuracy"]
    )
    reported = cli("report", folder, complete.path, "--comparison", "comparison.html")
    again = cli.train("--from-run", folder, "--quiet", "--no-report", "--logs", "again")
    for result in (evaluated, reported, again):
        assert result.exit_code == 0, result.output
        assert re.search(BOTH_ORDERS, result.stderr)
        assert "SHA-256" not in result.stderr
    assert "of another SHA-256" not in Path("comparison.html").read_text()
    (repeated,) = Path("again", "fit").iterdir()
    assert (
        run_record.read_config(repeated)["data"]["sha256"]
        == image_order.to_tfds_order(mnist).sha256
    )
