"""LeNet-5 as in the Keras tutorial, and networks derived from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import Recipe
from lenet_tf.specs.rows import Row
from lenet_tf.specs.rows_pooling import Pooling
from lenet_tf.specs.rows_standard import Convolution, Dense, Flatten, Input
from lenet_tf.specs.spec import Spec


def _change_rows(rows: tuple[Row, ...], kind: type[Row], **changes: Any) -> tuple[Row, ...]:
    """Apply the same changes to every row of type `kind`."""
    return tuple(row.replace(**changes) if isinstance(row, kind) else row for row in rows)


def _replace_rows(rows: tuple[Row, ...], new: dict[str, tuple[Row, ...]]) -> tuple[Row, ...]:
    """Replace each row whose name is a key of `new` by the rows there."""
    return tuple(row for old in rows for row in new.get(old.name, (old,)))


def _modernize(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Use ReLU, He initialization and max pooling in all rows but the last."""
    hidden = _change_rows(rows[:-1], Pooling, pool="max")
    for kind in (Convolution, Dense):
        hidden = _change_rows(hidden, kind, activation="relu", initializer="he_normal")
    return hidden + rows[-1:]


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
    source=(
        "The Keras tutorial of 2022 (after datahacker.rs' TensorFlow 2 version, citing LeCun et "
        "al. 1998), errata corrected"
    ),
    notes=(
        "tanh, average pooling, softmax, Adam; validates on the test images, as the tutorial does; "
        "the tutorial claims 98.71%"
    ),
    expected_parameters=61_706,
)

_LENET5_32 = replace(
    _LENET5,
    name="lenet5-32",
    rows=_replace_rows(
        _LENET5.rows,
        {"INPUT": (Input(shape=(32, 32, 1)),), "C1": (_LENET5.rows[1].replace(padding="valid"),)},
    ),
    recipe=replace(_LENET5.recipe, validation=0.1),
    preparation=Preparation(pad_to=32),
    notes=(
        "lenet5 on images padded to 32×32 without padding in C1, as in the tutorial's table "
        "(but not its code)"
    ),
)

_LENET5_MODERN = replace(
    _LENET5,
    name="lenet5-modern",
    rows=_modernize(_LENET5.rows),
    recipe=replace(_LENET5.recipe, validation=0.1),
    source="This project: lenet5's topology with today's standard choices",
    notes=(
        "lenet5 with ReLU, max pooling and He initialization; its recipes fast and accurate are "
        "tuned, its own is lenet5's"
    ),
)

_LENET5_3X3 = replace(
    _LENET5,
    name="lenet5-3x3",
    rows=_replace_rows(
        _LENET5.rows,
        {
            "C1": tuple(
                Convolution(name, filters=6, kernel=3, padding="same", activation="tanh")
                for name in ("C1a", "C1b")
            ),
            "C3": tuple(
                Convolution(name, filters=16, kernel=3, activation="tanh")
                for name in ("C3a", "C3b")
            ),
        },
    ),
    recipe=replace(_LENET5.recipe, validation=0.1),
    source=(
        "This project, after the tutorial's claim that two 3×3 kernels see as much as one 5×5, "
        "with fewer parameters"
    ),
    notes=(
        "lenet5 with each 5×5 convolution replaced by two of 3×3; it has 1,018 more "
        "parameters, since 18 weights replace 25 only between single maps"
    ),
    expected_parameters=62_724,
)

_LENET5_COLOR = replace(
    _LENET5,
    name="lenet5-color",
    rows=_replace_rows(_LENET5_32.rows, {"INPUT": (Input(shape=(32, 32, 3)),)}),
    recipe=_LENET5_32.recipe,
    preparation=Preparation(pad_to=32, channels=3),
    data="cifar10",
    source="This project, after the companion posts' step from gray to color images",
    notes=(
        "lenet5-32 on 32×32 color images, CIFAR-10 by default; gray images become three equal "
        "channels"
    ),
    expected_parameters=61_706 + 2 * 25 * 6,
)

_LENET5_MODERN_COLOR = replace(
    _LENET5_COLOR,
    name="lenet5-modern-color",
    rows=_modernize(_LENET5_COLOR.rows),
    source="This project: lenet5-color's topology with today's standard choices",
    notes=(
        "lenet5-color with ReLU, max pooling and He initialization; its recipe accurate is tuned "
        "on CIFAR-10, its own is lenet5's"
    ),
)

TUTORIAL_VARIANTS = (
    _LENET5,
    _LENET5_32,
    _LENET5_MODERN,
    _LENET5_3X3,
    _LENET5_COLOR,
    _LENET5_MODERN_COLOR,
)
