"""The networks of LeCun, Bottou, Bengio and Haffner 1998 as published.

Departures from the paper, for all of them: the paper's online second-order training is not here yet, so the recipes are Adam's; weights
begin uniform in ±2.4/√fan-in instead of ±2.4/fan-in, with which the signals vanish, and subsampling coefficients at 1/4, so that a window's
sum begins as its mean; the output codes are drawn for this project (`lenet_tf.specs.codes`).
"""

from __future__ import annotations

from dataclasses import replace

from lenet_tf.specs.network import Spec
from lenet_tf.specs.recipes import Preparation, Recipe
from lenet_tf.specs.rows import Convolution, Dense, Flatten, Input
from lenet_tf.specs.rows1998 import EuclideanRBF, Subsampling, TableConvolution

_SQUASHED = {"activation": "scaled_tanh", "initializer": "lecun1998_uniform"}

# Table I of the paper: the S2 maps, from 0, that each of C3's 16 feature maps takes.
_MAPS = ["012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235", "012345"]
_C3 = tuple(tuple(int(number) for number in maps) for maps in _MAPS)

# LeNet-1's 20 kernels: maps 0 and 1 each feed five of the first six feature maps, maps 2 and 3 five of the second six in the same way.
# Which map feeds which is not in the paper's text; this table gives the published 2,578 parameters and 98,442 connections.
_SIX = ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1))
_LENET1_C3 = tuple(tuple(first + number for number in maps) for first in (0, 2) for maps in _SIX)

LENET5_1998 = Spec(
    name="lenet5-1998",
    rows=(
        Input(shape=(32, 32, 1)),
        Convolution("C1", filters=6, kernel=5, **_SQUASHED),
        Subsampling("S2"),
        TableConvolution("C3", table=_C3, kernel=5, **_SQUASHED),
        Subsampling("S4"),
        Convolution("C5", filters=120, kernel=5, **_SQUASHED),
        Flatten(),
        Dense("F6", units=84, **_SQUASHED),
        EuclideanRBF("OUTPUT"),
    ),
    recipe=Recipe(loss="lecun1998_map", epochs=20, batch_size=32),
    preparation=Preparation(pad_to=32, normalisation="lecun1998"),
    source="LeCun et al. 1998, section II.B",
    notes="LeNet-5 as published: trainable subsampling, C3 by table, RBF codes, eq. 9; 0.95% error reported. Trained by Adam here so far",
    expected_parameters=60_000,
)

LENET5_1998_FULL = replace(
    LENET5_1998,
    name="lenet5-1998-full",
    rows=(
        *LENET5_1998.rows[:3],
        Convolution("C3", filters=16, kernel=5, **_SQUASHED),
        *LENET5_1998.rows[4:-1],
        Dense("OUTPUT", units=10, activation="softmax", initializer="lecun1998_uniform"),
    ),
    recipe=replace(LENET5_1998.recipe, loss="categorical_crossentropy"),
    source="This project: a step between lenet5-1998 and lenet5",
    notes="lenet5-1998 with C3 connected to all maps and a softmax output",
    expected_parameters=61_750,
)

LENET1 = Spec(
    name="lenet1",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=4, kernel=5, **_SQUASHED),
        Subsampling("S2"),
        TableConvolution("C3", table=_LENET1_C3, kernel=5, **_SQUASHED),
        Subsampling("S4"),
        Flatten(),
        Dense("OUTPUT", units=10, activation="softmax", initializer="lecun1998_uniform"),
    ),
    recipe=Recipe(epochs=20, batch_size=32),
    preparation=Preparation(normalisation="lecun1998"),
    source="LeCun et al. 1998, section III.C",
    notes="4 and 12 feature maps, the second by table; 1.7% test error reported. Softmax and Adam here",
    expected_parameters=2_578,
)
