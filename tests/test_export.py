"""Exports run in their real runtimes, take raw images, and answer as the network does."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lenet_tf


@pytest.fixture(scope="module")
def sample() -> lenet_tf.RawData:
    return lenet_tf.load_data("sample")


def compute_expected(model: lenet_tf.LeNet, images: np.ndarray) -> np.ndarray:
    """Keras' own probabilities of raw images."""
    from lenet_tf.evaluation.evaluate import to_probabilities

    return to_probabilities(model, lenet_tf.predict_outputs(model, images))


def test_onnx_takes_raw_images_in_batches_of_any_size(sample, tmp_path):
    import onnxruntime

    result = lenet_tf.export("lenet5-modern-mnist", tmp_path / "digits.onnx", data=sample)
    assert result.path == tmp_path / "digits.onnx"
    session = onnxruntime.InferenceSession(result.path)
    (model_input,), (output,) = session.get_inputs(), session.get_outputs()
    assert (model_input.name, model_input.type) == ("images", "tensor(uint8)")
    assert (model_input.shape, output.shape) == (["batch", 28, 28], ["batch", 10])
    assert (output.name, output.type) == ("probabilities", "tensor(float)")
    model = lenet_tf.LeNet.from_preset("lenet5-modern-mnist")
    for count in (1, 7):
        images = sample.x_test[:count, :, :, 0]
        (probabilities,) = session.run(None, {"images": images})
        np.testing.assert_allclose(probabilities, compute_expected(model, images), atol=1e-5)


def test_labels_and_the_result_of_the_check_are_written_beside_it(sample, tmp_path):
    path = tmp_path / "digits.tflite"
    result = lenet_tf.export("lenet5-modern-mnist", path, format="litert", data=sample)
    assert (tmp_path / "labels.txt").read_text().split() == [str(digit) for digit in range(10)]
    record = json.loads((tmp_path / "digits.tflite.check.json").read_text())
    assert record["check"]["images"] == 1_000
    assert record["check"]["changed_answers"] == result.check.changed_answers == 0
    assert record["files"]["digits.tflite"]["bytes"] == result.size == path.stat().st_size
    assert {file.name for file in result.files} == {file.name for file in tmp_path.iterdir()}
