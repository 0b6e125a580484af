"""Rows, recipes and variants: their arithmetic against published and independent counts."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import DataError, SpecError
from lenet_tf.specs import (
    AUGMENTATIONS,
    VARIANTS,
    Augmentation,
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    EuclideanRBF,
    Flatten,
    GlobalAveragePooling,
    Initializer,
    Input,
    Optimizer,
    Pooling,
    Preparation,
    Recipe,
    Spec,
    Subsampling,
    get_augmentation,
    get_spec,
)
from lenet_tf.specs.scope_names import map_row_names, rename_rows
from lenet_tf.specs.toml import load_spec

OUTPUT = Dense("OUTPUT", units=10, activation="softmax")


def network(*rows, shape=(28, 28, 1)) -> Spec:
    return Spec("net", (Input(shape=shape), *rows))


def test_lenet5_layer_by_layer():
    """Shapes and counts of the tutorial; the 1998 paper has the same 122,304 connections of C1."""
    facts = {layer.row.name: layer for layer in get_spec("lenet5").layers}
    shapes = {name: layer.output_shape for name, layer in facts.items()}
    assert shapes == {
        "INPUT": (28, 28, 1),
        "C1": (28, 28, 6),
        "S2": (14, 14, 6),
        "C3": (10, 10, 16),
        "S4": (5, 5, 16),
        "FLATTEN": (400,),
        "C5": (120,),
        "F6": (84,),
        "OUTPUT": (10,),
    }
    parameters = {name: layer.parameters for name, layer in facts.items() if layer.parameters}
    assert parameters == {"C1": 156, "C3": 2_416, "C5": 48_120, "F6": 10_164, "OUTPUT": 850}
    assert facts["C1"].connections == 122_304
    assert facts["C5"].connections == 48_120
    assert facts["F6"].connections == 10_164


# Published by the tutorial, the 1998 paper, Caffe and Keras; the sums are counted by hand.
PARAMETERS = {
    "lenet5": 61_706,
    "lenet5-32": 61_706,
    "lenet5-modern": 61_706,
    "cnn-38k": 38_390,
    "lenet-caffe": 431_080,
    "keras-convnet": 34_826,
    "lenet5-3x3": (9 + 1) * 6
    + (9 * 6 + 1) * 6
    + (9 * 6 + 1) * 16
    + (9 * 16 + 1) * 16
    + 48_120
    + 10_164
    + 850,
    "mlp-300-100": 785 * 300 + 301 * 100 + 101 * 10,
    "lenet5-color": 61_706 + 2 * 25 * 6,
    "lenet5-modern-color": 61_706 + 2 * 25 * 6,
    "lenet1": 2_578,
    "lenet4": 4 * 26 + 8 * 2 + (60 * 25 + 16) + 16 * 2 + (80 * 5 + 40 * 4) * 25 + 120 + 121 * 10,
    "lenet5-1998": 60_000,
    "lenet5-1998-full": 156 + 12 + 2_416 + 32 + 48_120 + 10_164 + 850,
    "tiny": 26 * 2 + 73 * 10,
}


def test_parameters_of_the_variants():
    assert {name: spec.parameters for name, spec in VARIANTS.items()} == PARAMETERS
    assert {name: spec.expected_parameters for name, spec in VARIANTS.items()} == PARAMETERS


# Published, or counted by hand: outputs of each layer times the inputs of one, bias included.
CONNECTIONS = {
    "lenet1": 98_442,
    "lenet4": 28**2 * 4 * 26
    + 14**2 * 8 * 5
    + 10**2 * (60 * 25 + 16)
    + 5**2 * 16 * 5
    + 560 * 25
    + 120
    + 121 * 10,
    "lenet5-1998": 340_908,
    "lenet5-1998-full": 340_908 - 151_600 + 10**2 * 16 * 151 - 840 + 850,
}


def test_connections_of_the_1998_networks():
    expected = {
        name: spec.expected_connections
        for name, spec in VARIANTS.items()
        if spec.expected_connections
    }
    assert expected == CONNECTIONS
    assert {name: get_spec(name).connections for name in CONNECTIONS} == CONNECTIONS


def test_lenet4_is_close_to_the_published_counts():
    """The paper gives about 17,000 parameters and 260,000 connections."""
    spec = get_spec("lenet4")
    assert (round(spec.parameters, -3), round(spec.connections, -4)) == (17_000, 260_000)
    maps = {layer.row.name: layer.output_shape[-1] for layer in spec.layers}
    assert (maps["C1"], maps["S2"], maps["C3"], maps["S4"], maps["F5"]) == (4, 8, 16, 16, 120)
    for name, inputs in (("C3", 8), ("F5", 16)):
        table = next(row.table for row in spec.rows if row.name == name)
        assert {part for taken in table for part in taken} == set(range(inputs)), (
            "every map is used"
        )
        assert len(set(table)) == len(table) or name == "F5"


def test_readme_lists_the_departures():
    """README.md quotes every departure of the 1998 variants word for word."""
    readme = " ".join(
        (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8").split()
    )
    departures = {departure for spec in VARIANTS.values() for departure in spec.departures}
    assert len(departures) >= 8
    assert [departure for departure in departures if departure not in readme] == []
    assert all(
        get_spec(name).departures
        for name in ("lenet1", "lenet4", "lenet5-1998", "lenet5-1998-full")
    )


def test_derived_variants_differ_only_in_what_they_change():
    base, modern = get_spec("lenet5"), get_spec("lenet5-modern")
    assert [row.name for row in base.rows] == [row.name for row in modern.rows]
    assert [layer.output_shape for layer in base.layers] == [
        layer.output_shape for layer in modern.layers
    ]
    assert {getattr(row, "activation", "relu") for row in modern.rows[:-1]} == {"relu"}
    assert {row.pool for row in modern.rows if isinstance(row, Pooling)} == {"max"}
    assert modern.rows[-1] == base.rows[-1]
    assert (
        get_spec("lenet5-3x3").layers[-1].receptive_field
        == base.layers[-1].receptive_field
        == (28, 28)
    )
    fields = [
        {layer.output_shape: layer.receptive_field for layer in get_spec(name).layers}
        for name in ("lenet5", "lenet5-3x3")
    ]
    assert fields[0].items() <= fields[1].items(), "two 3×3 kernels see what one 5×5 sees"


def test_cnn_38k_has_38250_weights_and_140_biases():
    biases = sum(layer.output_shape[-1] for layer in get_spec("cnn-38k").layers if layer.parameters)
    assert biases == 140
    assert get_spec("cnn-38k").parameters - biases == 38_250


def test_padding_in_c1_equals_a_padded_input():
    same, padded = get_spec("lenet5"), get_spec("lenet5-32")
    assert [layer.output_shape for layer in same.layers[1:]] == [
        layer.output_shape for layer in padded.layers[1:]
    ]
    assert (same.connections, same.multiply_adds) == (padded.connections, padded.multiply_adds)


def windows(size, window, stride, padding):
    """Find the start of each window along one axis by trying every position."""
    if padding == "valid":
        return [start for start in range(0, size, stride) if start + window <= size]
    count = len(range(0, size, stride))
    before = max((count - 1) * stride + window - size, 0) // 2
    return [i * stride - before for i in range(count)]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "window", "stride"),
    [(28, 5, 1), (7, 2, 2), (7, 3, 2), (8, 3, 3), (5, 5, 1), (6, 2, 3), (9, 1, 4)],
)
def test_counts_against_visiting_every_window(size, window, stride, padding):
    starts = windows(size, window, stride, padding)
    convolution = network(
        Convolution("C1", filters=3, kernel=window, stride=stride, padding=padding),
        Flatten(),
        OUTPUT,
        shape=(size, size, 2),
    )
    pooling = network(
        Pooling("S1", size=window, stride=stride, padding=padding),
        Flatten(),
        OUTPUT,
        shape=(size, size, 2),
    )
    products = sum(
        1
        for _ in itertools.product(starts, starts, range(window), range(window), range(2), range(3))
    )
    assert convolution.layers[1].output_shape == (len(starts), len(starts), 3)
    assert convolution.layers[1].multiply_adds == products
    assert convolution.layers[1].connections == products + len(starts) ** 2 * 3
    inside = sum(1 for start in starts for i in range(window) if 0 <= start + i < size)
    assert pooling.layers[1].output_shape == (len(starts), len(starts), 2)
    assert pooling.layers[1].connections == inside**2 * 2
    assert pooling.layers[1].multiply_adds == pooling.layers[1].parameters == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_receptive_fields_against_tracing_pixels(variant):
    """Trace which pixels reach an output unit, window by window along one axis."""
    spec = get_spec(variant)
    for depth, layer in enumerate(spec.layers):
        maps = [before for before in spec.layers[1 : depth + 1] if len(before.output_shape) == 3]
        units = (
            range(maps[-1].output_shape[0] if maps else spec.input_shape[0])
            if layer.row.is_fully_connected
            else [0]
        )
        pixels = set(units)
        for before in reversed(maps):
            (size, _), (stride, _) = before.row.window()
            first = windows(
                before.input_shape[0], size, stride, getattr(before.row, "padding", "valid")
            )[0]
            pixels = {unit * stride + first + i for unit in pixels for i in range(size)}
        if layer.row.is_fully_connected:
            pixels &= set(range(spec.input_shape[0]))
        assert layer.receptive_field == (len(pixels), len(pixels)), layer.row.name


def test_dense_units_see_only_pixels_that_windows_cover():
    """5×5 windows with stride 2 cover 27 of 28 pixels; with `same` padding they cover all."""
    assert get_spec("tiny").layers[-1].receptive_field == (27, 27)
    padded = network(
        Convolution("C1", filters=2, kernel=5, stride=2, padding="same"), Flatten(), OUTPUT
    )
    assert [layer.receptive_field for layer in padded.layers[1:]] == [(5, 5), (5, 5), (28, 28)]


def test_rectangular_kernels_and_overlapping_windows():
    spec = network(
        Convolution("C1", filters=4, kernel=(3, 5), stride=(1, 2)),
        Pooling("S2", size=3, stride=2),
        Flatten(),
        OUTPUT,
    )
    assert [layer.output_shape for layer in spec.layers[1:3]] == [(26, 12, 4), (12, 5, 4)]
    assert spec.layers[1].parameters == (3 * 5 + 1) * 4
    assert spec.layers[2].receptive_field == (5, 9)


def test_global_average_pooling_replaces_a_flatten_row():
    spec = network(Convolution("C1", filters=6, kernel=5, stride=3), GlobalAveragePooling(), OUTPUT)
    assert [layer.output_shape for layer in spec.layers[1:]] == [(8, 8, 6), (6,), (10,)]
    assert spec.layers[2].connections == 8 * 8 * 6
    assert spec.layers[2].parameters == spec.layers[2].multiply_adds == 0
    assert [layer.receptive_field for layer in spec.layers[1:]] == [(5, 5), (26, 26), (26, 26)], (
        "7 strides of 3 and a 5 more"
    )


def test_subsampling_with_two_maps_per_input_map():
    spec = network(
        Convolution("C1", filters=4, kernel=5), Subsampling("S2", multiplier=2), Flatten(), OUTPUT
    )
    assert (spec.layers[2].output_shape, spec.layers[2].parameters) == ((12, 12, 8), 16)
    assert spec.layers[2].connections == 12 * 12 * 8 * 5


def test_batch_normalization_counts_its_statistics():
    spec = network(
        Convolution("C1", filters=6, kernel=5),
        BatchNormalization("N1"),
        Dropout("D1", rate=0.5),
        Flatten(),
        OUTPUT,
    )
    assert spec.layers[2].parameters == 24
    assert spec.layers[3].output_shape == (24, 24, 6)


BAD_ROWS = [
    (
        (Convolution("C1", filters=6, kernel=29), Flatten(), OUTPUT),
        "row 2 (C1, convolution): kernel 29×29 is larger than its input 28×28",
    ),
    (
        (Pooling("S1", size=2), Pooling("S2", size=15), Flatten(), OUTPUT),
        "row 3 (S2, pooling): window 15×15 is larger than its input 14×14",
    ),
    (
        (Dense("F1", units=5), OUTPUT),
        "row 2 (F1, dense): a dense row needs a flat vector, but its input is 28×28×1: "
        "put a flatten row before it",
    ),
    (
        (Flatten(), Convolution("C1", filters=1, kernel=1), OUTPUT),
        "row 3 (C1, convolution): needs height × width × channels",
    ),
    (
        (Flatten(), Dense("F1", units=5, activation="tahn"), OUTPUT),
        "row 3 (F1, dense): unknown activation 'tahn': did you mean tanh?",
    ),
    (
        (Convolution("C1", filters=0, kernel=5), Flatten(), OUTPUT),
        "row 2 (C1, convolution): filters must be a whole number of at least 1, not 0",
    ),
    (
        (Convolution("C1", filters=6, kernel=2.5), Flatten(), OUTPUT),
        "row 2 (C1, convolution): kernel must be a whole number",
    ),
    (
        (Convolution("C1", filters=6, kernel=5, stride=0), Flatten(), OUTPUT),
        "row 2 (C1, convolution): stride must be",
    ),
    (
        (Convolution("C1", filters=6, kernel=5, padding="full"), Flatten(), OUTPUT),
        "unknown padding 'full': known are valid, same",
    ),
    (
        (Convolution("C1", filters=6, kernel=5, initializer="xavier"), Flatten(), OUTPUT),
        "unknown initializer 'xavier'",
    ),
    (
        (Subsampling("S1", multiplier=0), Flatten(), OUTPUT),
        "row 2 (S1, subsampling): multiplier must be a whole number of at least 1",
    ),
    (
        (GlobalAveragePooling(), Flatten(), OUTPUT),
        "row 3 (FLATTEN, flatten): needs height × width × channels, "
        "but its input is a flat vector of 1",
    ),
    (
        (Convolution("C1", filters=6, kernel=5, initializer=5), Flatten(), OUTPUT),
        "row 2 (C1, convolution): unknown initializer 5",
    ),
    ((Pooling("S1", pool="mean"), Flatten(), OUTPUT), "row 2 (S1, pooling): unknown pool 'mean': "),
    (
        (Flatten(), Dropout("D1", rate=1.0), OUTPUT),
        "row 3 (D1, dropout): rate must be a number from 0 up to, not including, 1, not 1.0",
    ),
    (
        (Flatten(), Dense("F1", units=3), Dense("F1", units=3), OUTPUT),
        "row 4 (F1, dense): an earlier row has the name 'F1' already",
    ),
    (
        (Flatten(), Input("INPUT2"), OUTPUT),
        "row 3 (INPUT2, input): only the first row can be an input row",
    ),
    ((Flatten(),), "row 2: the last row must be a dense or rbf row"),
    (
        (Flatten(), Dense("a/b", units=3), OUTPUT),
        "row 3 (a/b, dense): name must be up to 100 letters a-z or A-Z, digits, '_', '.' and '-'",
    ),
]


@pytest.mark.parametrize(
    ("rows", "message"), BAD_ROWS, ids=[message.split("(")[0][:30] for _, message in BAD_ROWS]
)
def test_an_invalid_row_is_reported_with_its_number(rows, message):
    with pytest.raises(SpecError) as caught:
        network(*rows)
    assert str(caught.value).startswith("net, ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name", ["C 1", "합성곱", "é", "$x", "a<b", "a:b", "a*b", "a\\b", "a[red]", "_x", "%", "-x"]
)
def test_names_that_tensorflow_refuses_are_refused_at_once(name, tmp_path):
    """Such a network would train to the end and then fail."""
    with pytest.raises(SpecError, match="name must be up to 100 letters a-z or A-Z, digits"):
        network(Dense(name, units=5), OUTPUT)
    file = tmp_path / "net.toml"
    rows = [
        {"kind": "input", "name": "INPUT"},
        {"kind": "dense", "name": name, "units": 5},
        {"kind": "dense", "name": "OUTPUT", "units": 10, "activation": "softmax"},
    ]
    lines = [
        "[[rows]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in row.items())
        for row in rows
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SpecError, match="name must be up to 100 letters a-z or A-Z, digits"):
        load_spec(file)


def test_stored_rows_get_names_that_tensorflow_accepts():
    rows = [{"name": name} for name in ("C 1", "C_1", "합", "핪", "C1", "-x", "a/b", "", 7)]
    assert map_row_names(rows) == {"C 1": "C_1-2", "합": "x_", "핪": "x_-2", "-x": "x-x"}
    names = [row["name"] for row in rename_rows({"rows": rows})["rows"]]
    assert names == ["C_1-2", "C_1", "x_", "x_-2", "C1", "x-x", "a/b", "", 7]
    for strange in (None, 1, [], {}, {"rows": 1}, {"rows": [1, {"name": [1]}]}):
        assert rename_rows(strange) == strange


def test_invalid_names_and_rows_are_reported():
    for name in ("a/b", "", "..", 7):
        with pytest.raises(SpecError, match="a network's name must be"):
            replace(get_spec("tiny"), name=name)
    with pytest.raises(SpecError, match="net: 'C1' is not a row"):
        network("C1", OUTPUT)


def test_the_first_row_must_be_an_input():
    with pytest.raises(SpecError, match="net, row 1: the first row must be an input row"):
        Spec("net", (Flatten(), OUTPUT))
    with pytest.raises(SpecError, match="shape must be"):
        network(Flatten(), OUTPUT, shape=(28, 28))


@pytest.mark.parametrize("variant", VARIANTS)
def test_dictionary_round_trip_through_json(variant):
    spec = get_spec(variant)
    assert Spec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d["rows"][1].update(kernl=5),
            "lenet5, row 2 (convolution): unknown field 'kernl'; did you mean kernel?",
        ),
        (
            lambda d: d["rows"][1].pop("filters"),
            "lenet5, row 2 (C1, convolution): filters must be given",
        ),
        (
            lambda d: d["rows"][2].update(kind="poling"),
            "lenet5, row 3: unknown kind 'poling'; did you mean pooling",
        ),
        (lambda d: d["rows"][2].update(kind=["x"]), "lenet5, row 3: unknown kind ['x']"),
        (
            lambda d: d["rows"].append(7),
            "lenet5, row 10 must be a table of names and values, not 7",
        ),
        (lambda d: d.update(rows="C1"), "lenet5: rows must be a list of rows"),
        (
            lambda d: d["recipe"].update(epochs=0),
            "epochs must be a whole number of at least 1, not 0",
        ),
        (
            lambda d: d["recipe"]["optimizer"].update(name="adan"),
            "unknown optimizer 'adan': did you mean adam",
        ),
        (
            lambda d: d["rows"][1].update(initializer={"name": "he_normal", "stddev": 1}),
            "(convolution): initializer: stddev goes with",
        ),
        (
            lambda d: d["rows"][1].update(initializer={"stddev": 1}),
            "lenet5, row 2 (convolution): name must be given",
        ),
        (
            lambda d: d["recipe"].update(augmentation={"shift": 2}),
            "augmentation: unknown field 'shift'",
        ),
        (
            lambda d: d["recipe"].update(augmentation={"scaling": 1.5}),
            "augmentation: scaling must be a number from 0 up to, not",
        ),
        (lambda d: d.update(data=""), "lenet5: data must be the name of a data set, not ''"),
        (lambda d: d["preparation"].update(normalization="none"), "unknown normalization 'none'"),
        (lambda d: d.update(color="red"), "spec: unknown field 'color'"),
    ],
)
def test_mistakes_in_a_dictionary_are_reported_by_field(change, message):
    values = get_spec("lenet5").to_dict()
    change(values)
    with pytest.raises(SpecError) as caught:
        Spec.from_dict(values)
    assert message in str(caught.value)


def test_adapt_to_color_images_and_other_classes():
    spec = get_spec("lenet5").adapt((32, 32, 3), 7)
    assert spec.input_shape == (32, 32, 3)
    assert spec.num_classes == 7
    numpy_sizes = get_spec("lenet5").adapt(np.array([32, 32, 3]), np.int64(7))
    assert json.dumps(numpy_sizes.to_dict()) == json.dumps(spec.to_dict())
    assert spec.layers[1].parameters == (5 * 5 * 3 + 1) * 6
    assert get_spec("lenet5").input_shape == (28, 28, 1)
    with pytest.raises(
        SpecError,
        match=r"lenet5, row 4 \(C3, convolution\): kernel 5×5 is larger than its input 4×4",
    ):
        get_spec("lenet5").adapt((8, 8, 1))


def test_an_unknown_variant_suggests_similar_names():
    with pytest.raises(SpecError, match="unknown variant 'lenet6': did you mean lenet5"):
        get_spec("lenet6")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Recipe(batch_size=-1), "batch_size must be"),
        (lambda: Recipe(epochs=True), "epochs must be"),
        (
            lambda: Recipe(validation=1.5),
            "validation must be a fraction between 0 and 1, or 'test', not 1.5",
        ),
        (lambda: Recipe(loss="crossentropy"), "unknown loss 'crossentropy'"),
        (lambda: Recipe(optimizer="adam"), "optimizer must be an Optimizer, not 'adam'"),
        (
            lambda: network(Flatten(), Dense("OUT", units=10)),
            "row 3 .OUT, dense.: the loss categorical_crossentropy needs activation softmax",
        ),
        (
            lambda: Recipe(metrics=("accuracy", "acc")),
            "unknown metric 'acc': did you mean accuracy",
        ),
        (lambda: Recipe(metrics=()), "metrics must contain accuracy"),
        (
            lambda: Recipe(metrics="accuracy"),
            "metrics must contain accuracy, which chooses the best epoch, not 'accuracy'",
        ),
        (lambda: Recipe(metrics=5), "metrics must contain accuracy"),
        (lambda: Optimizer(learning_rate=10**400), "learning_rate must be a number above 0"),
        (
            lambda: Optimizer(learning_rate=0),
            "learning_rate must be a number above 0, or a list of them, one per epoch, not 0",
        ),
        (lambda: Optimizer(learning_rate=float("nan")), "learning_rate must be"),
        (
            lambda: Optimizer("adam", momentum=0.9),
            "momentum goes with sgd and rmsprop, not with adam",
        ),
        (
            lambda: Optimizer("adam", weight_decay=0.1),
            "weight_decay goes with adamw, not with adam",
        ),
        (lambda: Optimizer("sgd", nesterov=True), "nesterov needs a momentum above 0"),
        (
            lambda: Optimizer("sgd", momentum=0.5, nesterov=1),
            "nesterov must be true or false, not 1",
        ),
        (
            lambda: Optimizer("adamw", weight_decay=-1),
            "weight_decay must be a number above 0, not -1",
        ),
        (lambda: Optimizer("sdlm", damping=0), "damping must be a number above 0, not 0"),
        (
            lambda: Optimizer("sdlm", curvature_images=0),
            "curvature_images must be a whole number of at least 1, not 0",
        ),
        (
            lambda: Optimizer(learning_rate=(0.1, 0)),
            "learning_rate must be a number above 0, or a list of them, one per epoch, not",
        ),
        (lambda: Optimizer(learning_rate=()), "learning_rate must be a number above 0, or a list"),
        (lambda: Augmentation(shear=-1), "shear must be a number at least 0, not -1"),
        (lambda: Augmentation(elastic_sigma=0), "elastic_sigma must be a number above 0, not 0"),
        (lambda: get_augmentation("afine"), "unknown augmentation 'afine': did you mean affine"),
        (
            lambda: Recipe(augmentation="affine"),
            "augmentation must be an Augmentation or None, not 'affine'",
        ),
        (
            lambda: Initializer("random_normal", limit=1),
            "initializer: limit goes with random_uniform, not with random_normal",
        ),
        (
            lambda: Initializer("random_normal", stddev=0),
            "initializer: stddev must be a number above 0, not 0",
        ),
        (
            lambda: Initializer("variance_scaling", mode="fan"),
            "unknown mode 'fan': did you mean fan_",
        ),
        (lambda: Preparation(channels=0), "channels must be"),
        (lambda: Preparation(pad_to=0), "pad_to must be"),
        (lambda: Preparation(digit_size=21), "digit_size must be at most 20"),
    ],
)
def test_invalid_recipes_are_reported(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def test_one_learning_rate_per_epoch():
    rates = Optimizer("sgd", (0.3, 0.2, 0.1))
    assert [rates.get_learning_rate(epoch) for epoch in range(5)] == [0.3, 0.2, 0.1, 0.1, 0.1]
    assert Optimizer("sgd", 0.5).get_learning_rate(7) == 0.5
    assert Optimizer("sgd", [1, 0.5]) == Optimizer("sgd", (1, 0.5))
    whole = (
        *(Optimizer("sgd", [2, 1]).get_learning_rate(epoch) for epoch in (0, 1)),
        *Optimizer("sgd", 1, momentum=0).get_keras_options().values(),
    )
    assert whole == (2, 1, 0)
    assert {type(value) for value in whole} == {float}, "Keras refuses whole numbers"
    paper = get_spec("lenet5-1998").recipe.optimizer
    rates = [paper.get_learning_rate(epoch) for epoch in (0, 1, 2, 4, 5, 7, 8, 11, 12, 19)]
    assert rates == [5e-4] * 2 + [2e-4] * 2 + [1e-4] * 2 + [5e-5] * 2 + [1e-5] * 2
    assert len(paper.learning_rate) == get_spec("lenet5-1998").recipe.epochs == 20


def test_get_augmentation():
    assert get_augmentation("none") is None
    assert get_augmentation("affine") is AUGMENTATIONS["affine"]
    assert get_augmentation(Augmentation(shear=0.5)).shear == 0.5
    spec = replace(get_spec("tiny"), recipe=Recipe(augmentation=AUGMENTATIONS["affine+elastic"]))
    assert Spec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("rows", "loss", "message"),
    [
        (
            (Flatten(), Dropout("D1", rate=0.5), OUTPUT),
            "categorical_crossentropy",
            "row 3 (D1, dropout): the optimizer sdlm has no second",
        ),
        (
            (BatchNormalization("N1"), Flatten(), OUTPUT),
            "categorical_crossentropy",
            "row 2 (N1, batch_normalization): the optimizer sdlm",
        ),
        (
            (Pooling("S1", pool="stochastic"), Flatten(), OUTPUT),
            "categorical_crossentropy",
            "no second derivatives for stochastic",
        ),
        (
            (Pooling("S1", padding="same"), Flatten(), OUTPUT),
            "categorical_crossentropy",
            "average pooling with padding same",
        ),
        (
            (Flatten(), OUTPUT),
            "mean_squared_error",
            "row 3 (OUTPUT, dense): the optimizer sdlm supports softmax only in the last row, with",
        ),
        (
            (Flatten(), Dense("F1", units=84), EuclideanRBF("OUT")),
            "mean_squared_error",
            "no second derivatives for the loss mean_squared",
        ),
        (
            (Flatten(), Dense("OUTPUT", units=10)),
            "mean_absolute_error",
            "no second derivatives for the loss mean_absolute_error",
        ),
    ],
)
def test_rows_without_second_derivatives_are_rejected(rows, loss, message):
    with pytest.raises(SpecError) as caught:
        Spec("net", (Input(), *rows), Recipe(Optimizer("sdlm"), loss=loss))
    assert message in str(caught.value)


def test_specs_are_immutable():
    spec = get_spec("lenet5")
    with pytest.raises(AttributeError):
        spec.rows[1].filters = 7
    assert replace(spec.rows[1], filters=7).filters == 7
    assert spec.rows[1].filters == 6


@pytest.mark.parametrize(
    ("preparation", "image_shape", "expected"),
    [
        (Preparation(), (28, 28), (28, 28, 1)),
        (Preparation(), (32, 24, 3), (32, 24, 3)),
        (Preparation(digit_size=16, pad_to=32), (28, 28), (32, 32, 1)),
        (Preparation(channels=3), (28, 28, 1), (28, 28, 3)),
        (Preparation(pad_to=32, channels=3), (32, 32, 3), (32, 32, 3)),
    ],
)
def test_output_shape_equals_the_shape_of_prepared_images(preparation, image_shape, expected):
    assert preparation.output_shape(image_shape) == expected
    images = np.zeros((1, *image_shape), np.uint8)
    assert prepare_images(images, preparation).shape[1:] == expected


@pytest.mark.parametrize(
    ("preparation", "image_shape"),
    [(Preparation(pad_to=28), (32, 32)), (Preparation(channels=3), (28, 28, 2))],
)
def test_output_shape_rejects_images_like_their_preparation(preparation, image_shape):
    with pytest.raises(DataError) as from_shape:
        preparation.output_shape(image_shape)
    with pytest.raises(DataError) as from_images:
        prepare_images(np.zeros((1, *image_shape), np.uint8), preparation)
    assert str(from_shape.value) == str(from_images.value)
