"""What every network owes, however few images there are: the answers, scores and training steps of Keras' own code."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quick import fit

import lenet_tf
from lenet_tf.data.pipeline import evaluation_batches, training_batches
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, use_engine
from lenet_tf.engine.selection import choose_engine
from lenet_tf.evaluation.evaluate import to_probabilities
from lenet_tf.models.curvature import curvature
from lenet_tf.models.lenet import LeNet
from lenet_tf.runtime import device
from lenet_tf.specs import VARIANTS, get_spec
from lenet_tf.specs.row_types import ROW_TYPES
from lenet_tf.specs.toml import load_spec

processor = pytest.mark.cpu
# One image cannot be halved, three halve unevenly, and 33 leave one behind a batch of 32.
COUNTS = (1, 2, 3, 33)
MENU = Path(__file__).parent.parent / "examples" / "menu.toml"
NETWORKS = [*VARIANTS, MENU.name]
# XLA compiles the steps of those that train image by image: oneDNN has no part in these.
STEPS = [
    pytest.param(
        name, marks=[processor] * (name == MENU.name or VARIANTS[name].recipe.batch_size > 1)
    )
    for name in NETWORKS
]


def spec_of(name: str) -> lenet_tf.Spec:
    return load_spec(MENU) if name == MENU.name else get_spec(name)


def test_every_variant_and_kind_of_row_is_here():
    kinds = {row.kind for name in NETWORKS for row in spec_of(name).rows}
    assert len(VARIANTS) >= 14
    assert kinds == set(ROW_TYPES)


@pytest.fixture(params=NETWORKS)
def network(request) -> LeNet:
    return LeNet(spec_of(request.param), seed=1)


def close(got, expected) -> None:
    """To float32's rounding, relative to the largest number."""
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-5 * max(1.0, np.abs(expected).max()))


def keras_own(network: LeNet, images: np.ndarray) -> np.ndarray:
    return network.predict(prepare_images(images, network.spec.preparation), verbose=0)


@processor
def test_predictions(network, digits, tmp_path, cli):
    """From Python and by the command, which reads pictures and a saved model."""
    network.save(tmp_path / "network.keras")
    pictures = [tmp_path / f"{number:02}.png" for number in range(max(COUNTS))]
    for picture, digit in zip(pictures, digits.x_test[..., 0], strict=False):
        Image.fromarray(digit).save(picture)
    for count in COUNTS:
        expected = keras_own(network, digits.x_test[:count])
        close(lenet_tf.predict(network, digits.x_test[:count]), expected)
        answers = cli("predict", "--json", "--model", tmp_path / "network.keras", *pictures[:count])
        assert answers.exit_code == 0, answers.output
        chances = to_probabilities(network, expected)
        told = json.loads(answers.stdout)
        assert [answer["class"] for answer in told] == chances.argmax(axis=1).tolist()
        close([answer["probability"] for answer in told], chances.max(axis=1))


@processor
def test_scores(network, digits):
    """Of a test set, and of validation images during training, which the engine's own test step sees."""
    for count in COUNTS:
        few = replace(digits, x_test=digits.x_test[:count], y_test=digits.y_test[:count])
        preparation = network.spec.preparation
        expected = lenet_tf.evaluate(network, few)
        answers = keras_own(network, few.x_test).argmax(axis=1)
        assert expected["accuracy"] == pytest.approx((answers == few.y_test).mean(), abs=1e-6)
        with use_engine(network, GraphLoop(32)):
            batches = evaluation_batches(few.x_test, few.y_test, few.num_classes, preparation)
            got = network.evaluate(batches, verbose=0, return_dict=True)
        assert got == pytest.approx(expected, rel=1e-4)


def steps_taken(
    network: LeNet, loop: GraphLoop | None, data: lenet_tf.RawData
) -> list[list[np.ndarray]]:
    """The weights after an epoch on one image, then on two, and so on; a training step is either the engine's or Keras' own."""
    recipe, preparation, weights = network.spec.recipe, network.spec.preparation, []
    network.jit_compile = False
    network.optimizer.build(network.trainable_variables)
    if recipe.optimizer.name == "sdlm":
        network.optimizer.set_curvature(
            curvature(network, prepare_images(data.x_train[:20], preparation))
        )
    size = recipe.batch_size * (1 if loop is None else loop.steps_per_execution)
    prepare = loop is None or loop.prepare is None
    with use_engine(network, loop):
        for count in COUNTS:
            images, labels = data.x_train[:count], data.y_train[:count]
            batches = training_batches(
                images, labels, data.num_classes, preparation, size, seed=1, prepare=prepare
            )
            network.fit(batches, steps_per_epoch=math.ceil(count / size), verbose=0)
            weights.append(network.get_weights())
    return weights


@pytest.mark.parametrize("name", STEPS)
def test_training_steps(name, digits):
    """From the same weights, with the engine that `fit` takes by itself."""
    network = LeNet(spec_of(name), seed=1)
    engine, _ = choose_engine("auto", network.spec, network, device.choose_device("cpu"))
    ours, plain = (
        steps_taken(network, engine, digits),
        steps_taken(LeNet(network.spec, seed=1), None, digits),
    )
    assert engine is not None
    for count, expected, got in zip(COUNTS, plain, ours, strict=True):
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(
                one,
                other,
                rtol=0,
                atol=2e-5 * max(1.0, np.abs(other).max()),
                err_msg=f"{count} images",
            )


@processor
@pytest.mark.parametrize("name", ["keras-convnet", "lenet5"])
def test_a_run_on_one_image(name, digits, tmp_path):
    """It trains on one image, validates on one and is tested on one."""
    one = replace(
        digits,
        **{part: getattr(digits, part)[:1] for part in ("x_train", "y_train", "x_test", "y_test")},
    )
    run = fit(
        name, one, epochs=1, validation="test", seed=1, device="cpu", logs=tmp_path, quiet=True
    )
    loss = LeNet.evaluate(run.model, *prepared_batch(run.model, one), verbose=0, return_dict=True)[
        "loss"
    ]
    assert run.history["val_loss"] == pytest.approx([loss], rel=1e-4)
    assert run.metrics["test_loss"] == pytest.approx(loss, rel=1e-4)


def prepared_batch(network: LeNet, data: lenet_tf.RawData) -> tuple[np.ndarray, np.ndarray]:
    return prepare_images(data.x_test, network.spec.preparation), one_hot(
        data.y_test, data.num_classes
    )
