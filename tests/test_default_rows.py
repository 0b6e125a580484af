"""What a network leaves out: names of rows, the input's shape, the number of classes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lenet_tf.errors import SpecError
from lenet_tf.specs import (
    VARIANTS,
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling,
    Input,
    Pooling,
    Preparation,
    Spec,
    get_spec,
)

OUTPUT = Dense("OUTPUT", units=10, activation="softmax")
SHAPE = (28, 28, 1)


def get_names(*rows) -> list[str]:
    return [row.name for row in Spec("net", (Input(), *rows)).rows]


@pytest.mark.parametrize("name", ["lenet5", "lenet5-color", "lenet5-1998", "lenet1", "mlp-300-100"])
def test_rows_are_named_as_in_the_paper(name):
    spec = get_spec(name)
    rows = tuple(row.replace(name="") for row in spec.rows)
    assert [row.name for row in replace(spec, rows=rows).rows] == [row.name for row in spec.rows]


def test_names_of_other_rows():
    layer = {"filters": 2, "kernel": 3}
    last = Dense(units=10, activation="softmax")
    assert get_names(
        Convolution(**layer), BatchNormalization(), Pooling(), Dropout(rate=0.1), Flatten(), last
    ) == ["INPUT", "C1", "N1", "S2", "D2", "FLATTEN", "OUTPUT"]
    assert get_names(Convolution(**layer), GlobalAveragePooling(), Dense(units=3), last)[-2:] == [
        "F2",
        "OUTPUT",
    ]
    taken = get_names(Convolution("C2", **layer), Convolution(**layer), Flatten("OUTPUT"), last)
    assert taken == ["INPUT", "C2", "C2-2", "OUTPUT", "OUTPUT-2"]


def test_a_dictionary_leaves_out_the_same():
    rows = [{"kind": "input"}, {"kind": "flatten"}, {"kind": "dense", "activation": "softmax"}]
    spec = Spec.from_dict({"name": "net", "rows": rows})
    assert [row.name for row in spec.rows] == ["INPUT", "FLATTEN", "OUTPUT"]
    assert spec == Spec("net", (Input(), Flatten(), Dense(activation="softmax")))
    assert Spec.from_dict(spec.to_dict()) == spec
    assert (spec.input_shape, spec.num_classes) == (SHAPE, 10)
    padded = Preparation(pad_to=32, channels=3)
    assert Spec("net", (Input(), Flatten(), OUTPUT), preparation=padded).input_shape == (32, 32, 3)


def test_fields_that_must_be_given():
    for row, field in (
        (Convolution(kernel=3), "filters"),
        (Convolution(filters=3), "kernel"),
        (Dropout(), "rate"),
    ):
        with pytest.raises(SpecError, match=f"row 2 .*: {field} must be given"):
            Spec("net", (Input(), row, Flatten(), OUTPUT))
    with pytest.raises(SpecError, match="row 3 .F1, dense.: units must be given"):
        Spec("net", (Input(), Flatten(), Dense(), OUTPUT))


def test_what_is_left_out_follows_the_data():
    spec = Spec("net", (Input(), Flatten(), Dense(activation="softmax")))
    adapted = spec.adapt_to_data("photos", (32, 32, 3), 4)
    assert (adapted.input_shape, adapted.num_classes) == ((32, 32, 3), 4)
    assert adapted.adapt_to_data("digits", SHAPE, 10) == spec, "and those of the next data set"
    for variant in VARIANTS.values():
        if variant.name.startswith("lenet5-1998") or variant.name == "lenet4":
            continue
        assert variant.adapt_to_data("letters", variant.input_shape, 26).num_classes == 26


def test_units_that_do_not_fit_the_data_are_an_error():
    """A user's own rows mean what they say, also where the rest is a variant's."""
    message = (
        r"row 3 \(OUTPUT, dense\): it has 7 units, but mnist has 10 classes: set units = 10, or"
        " leave units out to take the number of classes"
    )
    last = OUTPUT.replace(units=7)
    spec = Spec("net", (Input(), Flatten(), last))
    with pytest.raises(SpecError, match=message):
        spec.adapt_to_data("mnist", SHAPE, 10)
    assert spec.adapt_to_data("days", (20, 20, 1), 7).input_shape == (20, 20, 1)
    tiny = get_spec("tiny")
    with pytest.raises(SpecError, match="it has 7 units, but mnist has 10 classes"):
        replace(tiny, rows=(*tiny.rows[:-1], last)).adapt_to_data("mnist", SHAPE, 10)
    assert tiny.adapt(num_classes=3).num_classes == 3, "LeNet('tiny', num_classes=3) asks for it"


def test_a_shape_that_does_not_fit_the_data_is_an_error():
    spec = Spec("net", (Input(shape=SHAPE), Flatten(), OUTPUT))
    assert spec.adapt_to_data("mnist", SHAPE, 10) is spec
    with pytest.raises(SpecError, match="shape is 28×28×1, but the images of cifar10 are 32×32×3"):
        spec.adapt_to_data("cifar10", (32, 32, 3), 10)
