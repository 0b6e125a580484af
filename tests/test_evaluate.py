"""`lenet_tf.evaluate`: loss and accuracy on test images."""

from __future__ import annotations

import copy
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image
from quick import fit

import lenet_tf
from lenet_tf.errors import DataError, DataWarning, RunError


def test_every_image_counts(tiny_run, digits):
    """Batches of 1,000 leave a remainder of 37, which counts too."""
    data = replace(
        digits,
        x_test=np.tile(digits.x_test, (11, 1, 1, 1))[:1_037],
        y_test=np.tile(digits.y_test, 11)[:1_037],
    )
    result = lenet_tf.evaluate(tiny_run.path, data)
    assert lenet_tf.evaluate(tiny_run, data) == result
    probabilities = tiny_run.model.predict(data.x_test / np.float32(255), verbose=0)
    accuracy = np.mean(probabilities.argmax(axis=1) == data.y_test)
    assert result["accuracy"] == pytest.approx(accuracy)
    loss = -np.log(probabilities[np.arange(1_037), data.y_test]).mean()
    assert result["loss"] == pytest.approx(loss, rel=1e-5)


def test_threads_that_test_one_model_take_turns(digits):
    model = lenet_tf.LeNet("tiny", seed=1)
    expected = lenet_tf.evaluate(model, digits)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: lenet_tf.evaluate(model, digits), range(8)))
    assert results == [expected] * 8
    assert lenet_tf.evaluate(copy.deepcopy(model), digits) == expected, "a lock can't be copied"


def test_a_model_that_another_thread_trains_is_not_tested(digits, tmp_path):
    """Its callback may wait for that thread."""
    messages = []

    def evaluate(epoch, logs):
        with ThreadPoolExecutor(1) as thread:
            error = thread.submit(lenet_tf.evaluate, callback.model, digits).exception()
        messages.append(str(error))

    callback = keras.callbacks.LambdaCallback(on_epoch_end=evaluate)
    run = fit("tiny", digits, epochs=1, callbacks=callback, logs=tmp_path, quiet=True)
    assert "tiny is being trained by another thread: test it in a callback" in messages[0]
    assert lenet_tf.evaluate(run, digits)["loss"] == pytest.approx(run.metrics["test_loss"])


def test_other_things_than_data_sets_are_refused(tiny_run):
    with pytest.raises(DataError, match="data must be a lenet_tf.RawData, not str"):
        lenet_tf.evaluate(tiny_run, "sample")


def test_images_of_0_and_1_are_a_warning(tiny_run, digits):
    """Each of them looks black to the network, but a picture may really be as dark."""
    with pytest.warns(DataWarning, match="images hold only 0 and 1, .*: multiply them by 255"):
        lenet_tf.predict_outputs(tiny_run, digits.x_test[:5] // 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        lenet_tf.predict_outputs(tiny_run, digits.x_test[:5])
        lenet_tf.predict_outputs(tiny_run, digits.x_test[:5] * 0)


def test_predictions_check_what_is_no_array(tiny_run, digits):
    images = digits.x_test[:3]
    expected = lenet_tf.predict_outputs(tiny_run, images)
    np.testing.assert_array_equal(lenet_tf.predict_outputs(tiny_run, images.tolist()), expected)
    with pytest.raises(
        DataError, match=r"images: values range from 0 to 510 in int64, .* values='0..510'"
    ):
        lenet_tf.predict_outputs(tiny_run, keras.ops.convert_to_tensor(images.astype(int) * 2))
    with pytest.raises(DataError, match="images have masked values"):
        lenet_tf.predict_outputs(tiny_run, np.ma.masked_equal(images, 0))


def test_predictions_take_images_of_other_clear_forms(tiny_run, digits):
    images = digits.x_test[:3]
    expected = lenet_tf.predict_outputs(tiny_run, images)
    for changed, said in (
        (images / 255, "float64 0…1 → 0…255"),
        (images.transpose(0, 3, 1, 2), "channels first"),
        (images.reshape(3, -1), "rows of 784 pixels → 28×28"),
    ):
        with pytest.warns(DataWarning, match=f"images: {said}") as caught:
            np.testing.assert_array_equal(lenet_tf.predict_outputs(tiny_run, changed), expected)
        assert caught[0].filename == __file__
    with pytest.raises(DataError, match=r"from -1 to 1 in float64, .* values='-1..1'"):
        lenet_tf.predict_outputs(tiny_run, images / 127.5 - 1)
    outputs = lenet_tf.predict_outputs(tiny_run, images / 127.5 - 1, values="-1..1")
    np.testing.assert_array_equal(outputs, expected)


@pytest.mark.cpu
def test_predictions_follow_a_changed_layer(digits):
    model, images = lenet_tf.LeNet("tiny", seed=0), digits.x_test[:3]
    before = lenet_tf.predict_outputs(model, images)
    model.layers[0].activation = keras.activations.relu
    after = lenet_tf.predict_outputs(model, images)
    assert not np.array_equal(before, after)
    expected = model.predict(lenet_tf.prepare_images(images, model.spec.preparation), verbose=0)
    np.testing.assert_allclose(after, expected, atol=1e-6)


def test_other_models_and_objects_are_refused(digits):
    model = keras.Sequential([keras.layers.Input((28, 28, 1)), keras.layers.Flatten()])
    message = "must be a LeNet, a run or a path, not Sequential"
    with pytest.raises(RunError, match=message):
        lenet_tf.predict_outputs(model, digits.x_test)
    with pytest.raises(RunError, match=message):
        lenet_tf.evaluate(model, digits)


def compile_with(*metrics):
    model = lenet_tf.LeNet("tiny", seed=1)
    model.compile("adam", "categorical_crossentropy", metrics=list(metrics))
    return model


def test_metrics_of_others_take_no_name_of_the_packages_own(digits):
    """A metric that always says 100% under the name of another number."""
    own = lenet_tf.evaluate(compile_with("accuracy"), digits)
    assert sorted(own) == ["accuracy", "loss"] and own["accuracy"] < 1
    for name, shown in (
        ("accuracy", "compiled_accuracy"),
        ("loss", "compiled_loss"),
        ("val_accuracy", "compiled_val_accuracy"),
        ("seconds", "compiled_seconds"),
        ("model", "model"),
        ("top", "top"),
    ):
        metric = keras.metrics.TopKCategoricalAccuracy(k=10, name=name)
        result = lenet_tf.evaluate(compile_with(metric), digits)
        assert result == pytest.approx(own | {shown: 1.0}), name
        metric = keras.metrics.TopKCategoricalAccuracy(k=10, name=name)
        model = compile_with("accuracy", metric)
        assert lenet_tf.evaluate(model, digits)["accuracy"] == pytest.approx(own["accuracy"])
        assert model.own_metrics is None


def test_metrics_of_several_numbers_are_left_out(digits):
    result = lenet_tf.evaluate(compile_with("accuracy", keras.metrics.F1Score()), digits)
    assert "f1_score" not in result and result["accuracy"] < 1


def test_the_command_prints_metrics_of_others_apart(cli, tmp_path):
    model = compile_with("accuracy", keras.metrics.TopKCategoricalAccuracy(k=10, name="model"))
    model.save(tmp_path / "x.keras")
    outcome = cli("evaluate", tmp_path / "x.keras", "--data", "sample", "--json")
    result = json.loads(outcome.stdout)
    assert result["model"] == str(tmp_path / "x.keras")
    assert result["metrics"] == {"model": 1.0}


def test_weights_that_are_no_numbers_are_told(cli, digits):
    """The model still loads, since a training that diverged is reported on."""
    model = lenet_tf.LeNet("tiny", seed=0)
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    model.save("nan.keras")
    assert np.isnan(lenet_tf.predict_outputs("nan.keras", digits.x_test[:2])).all()
    Image.fromarray(digits.x_test[0, ..., 0]).save("digit.png")
    for words in (("predict", "digit.png", "--model"), ("evaluate", "--data", "sample")):
        result = cli(*words, "nan.keras")
        assert result.exit_code == 1
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error")]
        assert "the weights of tiny are NaN or infinite, as after a training that diverged" in line
        assert "nan" not in result.stdout
