"""The page's scripts compute what Keras computes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from node import run_script
from page_networks import CHECK, NAMES, build_check, build_model, load_images

import lenet_tf
from lenet_tf.inference.page.network_data import describe_network
from lenet_tf.inference.page.packed_arrays import pack_arrays
from lenet_tf.inference.rejection import FOLDER, load_rejector, read_facts
from lenet_tf.models.trained_network import to_trained_network
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.probabilities import to_probabilities
from lenet_tf.pretrained.reading import read_network
from lenet_tf.specs import Dense, Flatten, Input, Pooling, Preparation, Spec
from lenet_tf.specs.rows import ACTIVATIONS

LIMIT = 1e-5
# Keras itself is up to 1e-5 off in float32, by another amount on each processor.
FLOAT32_LIMIT = 2e-5
READ_IMAGES = """
    import {unpackArrays} from "#page/data.js";
    import {prepareImage} from "#page/network/prepare.js";
    const readImages = async (packed) => {
      const [{shape: [count, height, width, channels = 1], values}] = await unpackArrays(packed);
      const size = height * width * channels;
      return Array.from({length: count}, (_, i) => (
        {height, width, channels, pixels: values.subarray(i * size, (i + 1) * size)}));
    };
"""


def run_checks(checks):
    return run_script(CHECK + "answer(await Promise.all(argument.map(checkNetwork)));", checks)


def assert_exact(results, limit=LIMIT):
    for result in results:
        layers = result["layers"]
        first = next(iter(layers))
        assert layers[first] == 0, result["name"]
        # null is NaN in JSON
        errors = [*layers.values(), result["explained"], result["saliency"]]
        assert all(error is not None and error < limit for error in errors), result
        assert result["different"] == 0, result["name"]


def test_all_networks_compute_what_keras_does():
    results = run_checks([build_check(name, images=2, answers=20) for name in NAMES])
    assert [result["name"] for result in results] == list(NAMES)
    assert_exact(results)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_images_are_computed_as_keras_does(name):
    assert_exact(run_checks([build_check(name, images=50)]))
    assert_exact(run_checks([build_check(name, images=50, precision="float32")]), FLOAT32_LIMIT)


def test_activations_and_their_derivatives_are_those_of_keras():
    import tensorflow as tf
    from keras.activations import get

    from lenet_tf.models.layer_factory import _get_activation

    values = np.concatenate([np.linspace(-9, 9, 1801), [-90.0, 90.0, 1e-9]])
    results = run_script(
        """
        import {activate, differentiate} from "#page/network/activations.js";
        const sums = Float64Array.from(argument.values), count = sums.length;
        const weights = Float64Array.from(argument.weights);
        answer(argument.names.map((name) => [
          Array.from(activate(name, sums, count)),
          Array.from(differentiate(name, sums, count, weights)),
        ]));
        """,
        {
            "values": values.tolist(),
            "weights": np.cos(values).tolist(),
            "names": list(ACTIVATIONS),
        },
    )
    for name, (outputs, gradients) in zip(ACTIVATIONS, results, strict=True):
        inputs = tf.constant(values[None])
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            expected = get(_get_activation(name))(inputs)
        slopes = tape.gradient(expected, inputs, np.cos(values)[None])
        np.testing.assert_allclose(outputs, expected[0], rtol=1e-6, atol=1e-7, err_msg=name)
        np.testing.assert_allclose(gradients, slopes[0], rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize(
    ("preparation", "shape"),
    [
        (Preparation(), (28, 28, 1)),
        (Preparation(normalization="lecun1998", pad_to=33), (28, 28, 1)),
        (Preparation(normalization="unit_twice", channels=3, pad_to=32), (28, 27, 1)),
        (Preparation(digit_size=16, normalization="lecun1998"), (28, 28, 1)),
        (Preparation(digit_size=7, pad_to=32), (27, 30, 3)),
    ],
)
def test_images_are_prepared_bit_for_bit(preparation, shape):
    images = np.random.default_rng(0).integers(0, 256, (4, *shape), dtype=np.uint8)
    images[0] = (np.arange(images[0].size) % 256).reshape(shape)
    expected = lenet_tf.prepare_images(images, preparation)
    prepared = run_script(
        READ_IMAGES
        + """
        const images = await readImages(argument.images);
        answer(images.map((image) => Array.from(prepareImage(image, argument.preparation))));
        """,
        {"images": pack_arrays([images]), "preparation": preparation.__dict__},
    )
    np.testing.assert_array_equal(np.float32(prepared), expected.reshape(len(images), -1))


def test_the_posterior_of_1998_is_that_of_python():
    network = read_any("lenet5-1998-mnist")
    images = load_images()[:20]
    model = lenet_tf.LeNet.from_preset("lenet5-1998-mnist")
    outputs = np.asarray(model(lenet_tf.prepare_images(images, network.spec.preparation)))
    probabilities = run_script(
        READ_IMAGES
        + """
        import {computeOutputs} from "#page/network/forward.js";
        import {loadNetwork} from "#page/network/network.js";
        import {computeProbabilities} from "#page/network/probabilities.js";
        const network = await loadNetwork(argument.network);
        answer((await readImages(argument.images)).map((image) => {
          const outputs = computeOutputs(network, prepareImage(image, network.preparation));
          return Array.from(computeProbabilities(network, outputs.at(-1)));
        }));
        """,
        {"network": describe_network(network, "", ""), "images": pack_arrays([images])},
    )
    np.testing.assert_allclose(probabilities, to_probabilities(network.spec, outputs), atol=LIMIT)


def test_equal_values_share_a_gradient_as_in_tensorflow():
    """The first of the largest or smallest values in a window gets all of it."""
    for pool in ("max", "min"):
        rows = (
            Input(shape=(12, 12, 2)),
            Pooling("S1", pool=pool, size=3, stride=2, padding="same"),
            Pooling("S2", pool=pool, size=2, stride=1),
            Flatten(),
            Dense("OUTPUT", units=3, activation="softmax"),
        )
        model = lenet_tf.LeNet(Spec(pool, rows), seed=1)
        images = np.random.default_rng(0).integers(1, 4, (6, 12, 12, 2), dtype=np.uint8)
        expected = lenet_tf.inspection.saliency(model, images * 80)
        np.testing.assert_allclose(compute_saliency(model, images * 80), expected, atol=1e-6)


def test_a_map_that_is_switched_off_changes_neither_answer_nor_saliency():
    """As if the weights after it were 0."""
    model = lenet_tf.LeNet.from_preset("lenet5-mnist")
    images = load_images()[:5]
    off = {"C1": [1, 4], "F6": [0, 80]}
    actual = compute_saliency(model, images, off)
    for name, axis, units in (("C3", 2, off["C1"]), ("OUTPUT", 0, off["F6"])):
        kernel, bias = model.get_layer(name).get_weights()
        index = [slice(None)] * kernel.ndim
        index[axis] = units
        kernel[tuple(index)] = 0
        model.get_layer(name).set_weights([kernel, bias])
    expected = compute_saliency(model, images)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-7)
    assert np.abs(expected).max() > 0


def compute_saliency(model, images, disabled=None):
    """Compute the saliency maps of the answers in Node."""
    result = run_script(
        READ_IMAGES
        + """
        import {computeOutputs} from "#page/network/forward.js";
        import {loadNetwork} from "#page/network/network.js";
        import {findLargest} from "#page/network/probabilities.js";
        import {computeSaliency} from "#page/network/saliency.js";
        const network = await loadNetwork(argument.network), {disabled} = argument;
        answer((await readImages(argument.images)).map((image) => {
          const input = prepareImage(image, network.preparation);
          const outputs = computeOutputs(network, input, {disabled});
          const best = findLargest(outputs.at(-1));
          return Array.from(computeSaliency(network, outputs, best, {disabled}));
        }));
        """,
        {
            "network": describe_network(to_trained_network(model), "", ""),
            "images": pack_arrays([images]),
            "disabled": disabled or {},
        },
    )
    return np.array(result).reshape(len(images), *model.input_shape[1:])


def test_the_detector_scores_as_python_does():
    """Digits, noise and blank images, with an answer of a network and without one."""
    random = np.random.default_rng(0)
    digits = load_images()[:30, :, :, 0]
    noise = random.integers(0, 256, (10, 28, 28), dtype=np.uint8)
    images = np.concatenate([digits, noise, np.rot90(digits[:10], axes=(1, 2)), 0 * noise[:1]])
    labels = random.integers(0, 10, len(images))
    rejector = load_rejector()
    scores, own, accepted = run_script(
        READ_IMAGES
        + """
        import {loadNetwork} from "#page/network/network.js";
        import {isDigit, scoreDigit} from "#page/network/rejection.js";
        const detector = await loadNetwork(argument.detector), {labels, thresholds} = argument;
        const images = await readImages(argument.images);
        answer([
          images.map((image, i) => scoreDigit(detector, image, labels[i])),
          images.map((image) => scoreDigit(detector, image, null)),
          images.map((image, i) => isDigit(detector, thresholds, image, labels[i])),
        ]);
        """,
        {
            "detector": describe_network(read_network(FOLDER / "digit-detector.keras"), "", ""),
            "images": pack_arrays([images]),
            "labels": labels.tolist(),
            "thresholds": list(read_facts().thresholds),
        },
    )
    np.testing.assert_allclose(scores, rejector.score(images, labels), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(own, rejector.score(images), rtol=1e-5, atol=1e-6)
    assert accepted == rejector.is_digit(images, labels).tolist()


def test_the_checks_find_a_wrong_number():
    """A check that cannot fail shows nothing."""
    check = build_check("tiny", images=1, answers=5)
    (result,) = run_checks([check])
    model = build_model("tiny")
    model.layers[0].set_weights([1.001 * array for array in model.layers[0].get_weights()])
    changed = describe_network(to_trained_network(model), "tiny", "tiny")
    (wrong,) = run_checks([json.loads(json.dumps(check)) | {"network": changed}])
    assert result["layers"]["C1"] < LIMIT < wrong["layers"]["C1"]
    assert wrong["saliency"] > LIMIT
