"""The networks that have a name, each a table with its source and its recipe."""

from __future__ import annotations

from dataclasses import replace

from lenet_tf.errors import SpecError, did_you_mean
from lenet_tf.specs.network import Spec
from lenet_tf.specs.recipes import Preparation, Recipe
from lenet_tf.specs.rows import Convolution, Dense, Flatten, Input, Pooling

_LENET5 = Spec(
    name="lenet5",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=6, kernel=5, padding="same", activation="tanh"),
        Pooling("S2", pool="average"),
        Convolution("C3", filters=16, kernel=5, activation="tanh"),
        Pooling("S4", pool="average"),
        Flatten(),
        Dense("C5", units=120, activation="tanh"),
        Dense("F6", units=84, activation="tanh"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    recipe=Recipe(epochs=10, batch_size=32, validation="test"),
    source="The Keras tutorial of 2022 (after datahacker.rs' TensorFlow 2 version, citing LeCun et al. 1998), errata corrected",
    notes="tanh, average pooling, softmax, Adam; claimed 98.71%. Validates on the test set, as the tutorial does",
    expected_parameters=61_706,
)

_LENET5_32 = replace(
    _LENET5,
    name="lenet5-32",
    rows=(Input(shape=(32, 32, 1)), replace(_LENET5.rows[1], padding="valid"), *_LENET5.rows[2:]),
    recipe=replace(_LENET5.recipe, validation=0.1),
    preparation=Preparation(pad_to=32),
    notes="lenet5 on images padded to 32×32 without padding in C1, as the tutorial's table (not its code) has it",
)

_CNN_38K = Spec(
    name="cnn-38k",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=10, kernel=5, activation="relu"),
        Pooling("S2", pool="max"),
        Convolution("C3", filters=20, kernel=5, activation="relu"),
        Pooling("S4", pool="max"),
        Flatten(),
        Dense("F5", units=100, activation="relu"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    source="The tutorial's companion post: 28×28 → 10@24×24 → 20@8×8 → 100 → 10",
    notes="ReLU, max pooling, Adam; 38,250 weights and 140 biases",
    expected_parameters=38_390,
)

_TINY = Spec(
    name="tiny",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=2, kernel=5, stride=2, activation="tanh"),
        Pooling("S2", pool="average"),
        Flatten(),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    recipe=Recipe(epochs=1, batch_size=50),
    source="This project",
    notes="A few hundred weights on the same code path, for tests and first tries",
    expected_parameters=2 * 26 + (6 * 6 * 2 + 1) * 10,
)

VARIANTS: dict[str, Spec] = {spec.name: spec for spec in (_LENET5, _LENET5_32, _CNN_38K, _TINY)}


def get_spec(name: str) -> Spec:
    """The variant of that name; raises `SpecError` with the nearest names if there is none."""
    if name not in VARIANTS:
        raise SpecError(f"unknown variant {name!r}: {did_you_mean(name, VARIANTS, 'lenet-tf variants lists them all')}")
    return VARIANTS[name]
