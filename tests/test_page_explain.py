"""How the page explains a unit: its terms, and what it sees."""

from __future__ import annotations

import numpy as np
import pytest
from node import run_script
from page_networks import PARTS, SPECS, build_model, load_images

import lenet_tf
from lenet_tf.inference.page.network_data import describe_network
from lenet_tf.inference.page.packed_arrays import pack_arrays
from lenet_tf.models.trained_network import to_trained_network
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.specs import (
    Convolution,
    Dense,
    Flatten,
    Input,
    Pooling,
    Spec,
    TableConvolution,
    get_spec,
)
from lenet_tf.specs.rbf_codes import DIGIT_CODES

# Strides, both paddings and a table, and only functions whose derivative is never 0.
SEEN = Spec(
    "seen",
    (
        Input(shape=(19, 16, 1)),
        Convolution("C1", filters=2, kernel=(3, 4), stride=(1, 2), padding="same"),
        Pooling("S2", size=(3, 2), stride=(2, 1), padding="same"),
        TableConvolution("C3", table=((0, 1), (1,)), kernel=(2, 3), activation="tanh"),
        Flatten(),
        Dense("OUTPUT", units=3, activation="softmax"),
    ),
)


def explain(model, image, chosen):
    """Explain units, [layer, unit] each, of the outputs for one raw image."""
    return run_script(
        """
        import {unpackArrays} from "#page/data.js";
        import {explainUnit} from "#page/network/explain.js";
        import {computeOutputs} from "#page/network/forward.js";
        import {loadNetwork} from "#page/network/network.js";
        import {prepareImage} from "#page/network/prepare.js";
        const network = await loadNetwork(argument.network);
        const [{shape: [height, width, channels], values: pixels}] =
          await unpackArrays(argument.image);
        const input = prepareImage({height, width, channels, pixels}, network.preparation);
        const outputs = computeOutputs(network, input);
        answer(argument.chosen.map(([name, unit]) => {
          const {index} = network.layers.find((layer) => layer.name === name);
          return explainUnit(network, outputs, index, unit);
        }));
        """,
        {
            "network": describe_network(to_trained_network(model), "", ""),
            "image": pack_arrays([image]),
            "chosen": chosen,
        },
    )


def sum_products(explanation):
    return sum(term["product"] for term in explanation["terms"]) + explanation["bias"]


def test_a_tutorial_network_is_explained():
    """Padding, a mean and a full connection, against the weights and outputs of Keras."""
    model, image = build_model("lenet5"), load_images()[7]
    outputs = lenet_tf.inspection.feature_maps(model, image[None])
    corner, mean, dense = explain(
        model, image, [["C1", 3], ["S2", (5 * 14 + 4) * 6 + 2], ["F6", 83]]
    )
    kernel, bias = model.get_layer("C1").get_weights()
    assert corner["kind"] == "convolution" and corner["activation"] == "tanh"
    assert [term["input"] for term in corner["terms"]].count(-1) == 16
    assert corner["bias"] == pytest.approx(bias[3])
    weights = {(term["row"], term["column"]): term["weight"] for term in corner["terms"]}
    assert weights == {place: pytest.approx(kernel[(*place, 0, 3)]) for place in np.ndindex(5, 5)}
    assert corner["groups"] == [{"map": 0, "sum": pytest.approx(sum_products(corner) - bias[3])}]
    assert corner["output"] == pytest.approx(outputs["C1"][0, 0, 0, 3], abs=1e-6)
    window = outputs["C1"][0, 10:12, 8:10, 2].ravel()
    assert [term["value"] for term in mean["terms"]] == pytest.approx(window, abs=1e-6)
    assert {term["weight"] for term in mean["terms"]} == {0.25} and mean["pool"] == "average"
    assert mean["sum"] == pytest.approx(window.mean(), abs=1e-6)
    values = [term["value"] for term in dense["terms"]]
    assert values == pytest.approx(outputs["C5"][0], abs=1e-5)
    assert np.tanh(dense["sum"]) == pytest.approx(outputs["F6"][0, 83], abs=1e-5)


def test_the_network_of_1998_is_explained():
    """A coefficient, a connection table and distances from codes."""
    model, image = build_model("lenet5-1998"), load_images()[7]
    outputs = lenet_tf.inspection.feature_maps(model, image[None])
    table = get_spec("lenet5-1998").layers[3].row.table
    sampled, connected, distance = explain(model, image, [["S2", 5], ["C3", 9], ["OUTPUT", 6]])
    coefficient, bias = model.get_layer("S2").get_weights()
    total = outputs["C1"][0, :2, :2, 5].sum()
    assert sampled["coefficient"] == pytest.approx(coefficient[5])
    assert sampled["sum"] == pytest.approx(coefficient[5] * total + bias[5], abs=1e-6)
    assert [group["map"] for group in connected["groups"]] == list(table[9])
    assert len(connected["terms"]) == 25 * len(table[9])
    squares = np.square(outputs["F6"][0] - DIGIT_CODES[6])
    products = [term["product"] for term in distance["terms"]]
    assert products == pytest.approx(squares, abs=1e-5)
    assert distance["sum"] == pytest.approx(squares.sum(), rel=1e-6)
    assert distance["activation"] == "negative"
    assert distance["output"] == pytest.approx(-squares.sum(), rel=1e-6)


def test_other_rows_are_explained():
    """Poolings at the border, and a normalization."""
    model = build_model("parts")
    image = np.random.default_rng(3).integers(0, 256, (17, 15, 3), dtype=np.uint8)
    outputs = lenet_tf.inspection.feature_maps(model, image[None])
    last = {facts.row.name: int(np.prod(facts.output_shape)) - 1 for facts in PARTS.layers}
    chosen = ["N1", "S4", "S5", "S6", "S7", "C9", "D9", "FLATTEN"]
    parts = dict(
        zip(chosen, explain(model, image, [[name, last[name]] for name in chosen]), strict=True)
    )
    gamma, beta, mean, variance = (array[-1] for array in model.get_layer("N1").get_weights())
    factor = gamma / np.sqrt(variance + 1e-3)
    (term,) = parts["N1"]["terms"]
    assert term["weight"] == pytest.approx(factor, rel=1e-6)
    assert parts["N1"]["bias"] == pytest.approx(beta - mean * factor, rel=1e-6)
    for name, size in (("S4", 2), ("S5", 1), ("S6", 1), ("S7", 1)):
        # Padding lies below and to the right, and is not a term.
        assert len(parts[name]["terms"]) == size, name
    for name, explanation in parts.items():
        output = outputs[name].ravel()[last[name]]
        assert explanation["output"] == pytest.approx(output, abs=1e-5), name
        assert sum_products(explanation) == pytest.approx(explanation["sum"]), name
    assert parts["S4"]["sum"] == pytest.approx(outputs["S4"].ravel()[-1], abs=1e-5)


FIND_FIELDS = """
    import {loadNetwork} from "#page/network/network.js";
    import {findInputWindow, findReceptiveField} from "#page/network/receptive-field.js";
    const list = ({top, left, bottom, right}) => [top, left, bottom, right];
"""


def test_the_largest_field_of_each_layer_is_that_of_its_facts():
    networks = [
        describe_network(TrainedNetwork(find_spec(), {}), name, name)
        for name, find_spec in SPECS.items()
        # Padding cuts off a part of every field of its small maps.
        if name != "parts"
    ]
    results = run_script(
        FIND_FIELDS
        + """
        import {countUnits} from "#page/network/network.js";
        const networks = await Promise.all(argument.map(loadNetwork));
        answer(networks.map((network) => network.layers.map((layer) => {
          const {outputShape: [, , maps = 1]} = layer, sizes = [0, 0];
          for (let unit = 0; unit < countUnits(layer); unit += maps) {
            const [top, left, bottom, right] =
              list(findReceptiveField(network, layer.index, unit));
            sizes[0] = Math.max(sizes[0], bottom - top);
            sizes[1] = Math.max(sizes[1], right - left);
          }
          return sizes;
        })));
        """,
        networks,
    )
    for network, sizes in zip(networks, results, strict=True):
        height, width, _ = network["layers"][0]["outputShape"]
        for layer, size in zip(network["layers"], sizes, strict=True):
            field = layer["receptiveField"]
            expected = [min(field[0], height), min(field[1], width)]
            assert size == expected, (network["name"], layer["name"])


def test_a_unit_depends_on_its_field_and_on_nothing_else():
    """Where the derivatives that Keras computes are not 0."""
    import tensorflow as tf

    model = lenet_tf.LeNet(SEEN, seed=0)
    random = np.random.default_rng(0)
    fields, windows = run_script(
        FIND_FIELDS
        + """
        import {countUnits} from "#page/network/network.js";
        const network = await loadNetwork(argument), layers = network.layers.slice(1);
        answer([
          layers.map((layer) => Array.from({length: countUnits(layer)}, (_, unit) =>
            list(findReceptiveField(network, layer.index, unit)))),
          layers.map((layer) => Array.from({length: countUnits(layer)}, (_, unit) =>
            list(findInputWindow(layer, unit)))),
        ]);
        """,
        describe_network(to_trained_network(model), "", ""),
    )
    image = tf.constant(random.uniform(0.1, 1, (1, 19, 16, 1)).astype("float32"))
    for number, layer in enumerate(model.layers):
        units = int(np.prod(layer.output.shape[1:]))
        for unit in {0, units - 1, units // 2, units // 3}:
            gradients = find_gradients(model, image, number, unit)
            assert find_box(gradients[0]) == fields[number][unit], (layer.name, unit)
            assert find_box(gradients[number]) == windows[number][unit], (layer.name, unit)


def find_gradients(model, image, number, unit):
    """Compute the derivatives of a unit with respect to the input of each layer up to its own."""
    import tensorflow as tf

    inputs = [image]
    with tf.GradientTape() as tape:
        tape.watch(image)
        for layer in model.layers[: number + 1]:
            inputs.append(layer(inputs[-1]))
        value = tf.reshape(inputs[-1], [-1])[unit]
    return [np.asarray(gradient)[0] for gradient in tape.gradient(value, inputs[:-1])]


def find_box(gradients):
    """Return the rows and columns where derivatives aren't 0; a flat layer is one pixel."""
    image = gradients.reshape(1, 1, -1) if gradients.ndim == 1 else gradients
    rows, columns = np.nonzero(np.abs(image).max(axis=-1))
    return [int(end) for end in (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)]
