"""The networks of LeCun et al. 1998; `departures` lists where each differs from the paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import Optimizer, Recipe
from lenet_tf.specs.rows_1998 import EuclideanRBF, Subsampling, TableConvolution
from lenet_tf.specs.rows_standard import Convolution, Dense, Flatten, Input
from lenet_tf.specs.spec import Spec

_SQUASHED: dict[str, Any] = {"activation": "scaled_tanh", "initializer": "lecun1998_uniform"}
_SOFTMAX = Dense("OUTPUT", units=10, activation="softmax", initializer="lecun1998_uniform")

# The rate of each of the 20 epochs and the other options are those of appendix C.
_RATES = (0.0005,) * 2 + (0.0002,) * 3 + (0.0001,) * 3 + (0.00005,) * 4 + (0.00001,) * 8
_SDLM = Optimizer("sdlm", _RATES, damping=0.02, curvature_images=500)
# Some losses need half the rates; chosen on validation images after a test error was too high.
HALF_RATES = replace(_SDLM, learning_rate=tuple(rate / 2 for rate in _RATES))

_START = (
    "weights start uniform in ±2.4/√fan-in, because signals vanish with the paper's ±2.4/fan-in;"
    " subsampling coefficients start at 1/4 and biases at 0, which the paper does not specify"
)
_HELD_OUT = (
    "2% of the training images are held out for validation, and the last epoch counts;"
    " the paper trains on all 60,000"
)
_SOFTMAX_OUTPUT = "the output is a softmax with cross-entropy"

# Table I of the paper: the S2 maps, from 0, that each of C3's 16 feature maps takes.
_MAPS = [
    "012",
    "123",
    "234",
    "345",
    "045",
    "015",
    "0123",
    "1234",
    "2345",
    "0345",
    "0145",
    "0125",
    "0134",
    "1245",
    "0235",
    "012345",
]
_C3 = tuple(tuple(int(number) for number in maps) for maps in _MAPS)

# LeNet-1 has 20 kernels: maps 0 and 1 feed the first six feature maps, maps 2 and 3 the others.
_SIX = ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1))
_LENET1_C3 = tuple(tuple(first + number for number in maps) for first in (0, 2) for maps in _SIX)

# LeNet-4's maps take 3, 4 or 5 neighbors in a ring of the eight subsampling maps.
_LENET4_C3 = tuple(
    tuple(sorted((first + step) % 8 for step in range(size)))
    for size, starts in ((3, range(8)), (4, range(0, 8, 2)), (5, range(1, 8, 2)))
    for first in starts
)
# Each unit takes five (every third unit four) of a ring of 16 maps, in steps of 1, 3, 5 or 7.
_LENET4_F5 = tuple(
    tuple(
        sorted(
            (unit + step * (1, 3, 5, 7)[unit // 30]) % 16
            for step in range(4 if unit % 3 == 2 else 5)
        )
    )
    for unit in range(120)
)

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
    recipe=Recipe(_SDLM, loss="lecun1998_map", epochs=20, batch_size=1, validation=0.02),
    preparation=Preparation(pad_to=32, normalization="lecun1998"),
    source="LeCun et al. 1998, section II.B; trained as in section III and appendix C",
    notes=(
        "LeNet-5 of the paper: trainable subsampling, C3 by table, RBF codes, eq. 9, second-order "
        "learning rates; the paper reports 0.95% test error"
    ),
    departures=(
        _START,
        _HELD_OUT,
        "the ten 7×12 output codes are drawn for this project, because the paper shows its own only"
        " as a picture",
        "the constant j of eq. 9 is 10; the paper says only that it is positive",
        "the rates use the second derivatives of eq. 8, the first term of eq. 9; with the second"
        " term they vanish for images that are well fitted, and the rates become too high",
        "the RBF layer returns −y, so that the largest output is the prediction, as usual in Keras;"
        " its codes are constants, not weights",
    ),
    expected_parameters=60_000,
    expected_connections=340_908,
)

LENET5_1998_FULL = replace(
    LENET5_1998,
    name="lenet5-1998-full",
    rows=(
        *LENET5_1998.rows[:3],
        Convolution("C3", filters=16, kernel=5, **_SQUASHED),
        *LENET5_1998.rows[4:-1],
        _SOFTMAX,
    ),
    recipe=replace(LENET5_1998.recipe, loss="categorical_crossentropy"),
    source="This project: a step between lenet5-1998 and lenet5",
    notes="lenet5-1998 with C3 connected to all maps and a softmax output",
    departures=(_START, _HELD_OUT, "C3 is connected to all maps", _SOFTMAX_OUTPUT),
    expected_parameters=61_750,
    expected_connections=122_304 + 5_880 + 241_600 + 2_000 + 48_120 + 10_164 + 850,
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
        _SOFTMAX,
    ),
    recipe=replace(LENET5_1998.recipe, loss="categorical_crossentropy"),
    preparation=Preparation(digit_size=16, normalization="lecun1998"),
    source="LeCun et al. 1998, section III.C",
    notes=(
        "4 and 12 feature maps, the second by table; digits reduced to 16×16; the paper "
        "reports 1.7% test error"
    ),
    departures=(
        _START,
        _HELD_OUT,
        _SOFTMAX_OUTPUT,
        "the paper does not say which maps of the first layer feed which maps of the second; this"
        " table gives the published counts",
        "the paper does not say how digits were reduced to 16×16; here each pixel is the mean of"
        " the area that it covers",
    ),
    expected_parameters=2_578,
    expected_connections=98_442,
)

LENET4 = Spec(
    name="lenet4",
    rows=(
        Input(shape=(32, 32, 1)),
        Convolution("C1", filters=4, kernel=5, **_SQUASHED),
        Subsampling("S2", multiplier=2),
        TableConvolution("C3", table=_LENET4_C3, kernel=5, **_SQUASHED),
        Subsampling("S4"),
        TableConvolution("F5", table=_LENET4_F5, kernel=5, **_SQUASHED),
        Flatten(),
        _SOFTMAX,
    ),
    recipe=replace(LENET1.recipe, optimizer=HALF_RATES),
    preparation=LENET5_1998.preparation,
    source=(
        "LeCun et al. 1998, section III.C; the number of maps and units after Bottou et al. 1994"
    ),
    notes=(
        "4 feature maps, 8 subsampling maps in pairs, 16 feature maps, 120 units; connections "
        "assumed; the paper reports 1.1% test error"
    ),
    departures=(
        _START,
        _HELD_OUT,
        _SOFTMAX_OUTPUT,
        "LeNet-4's connections are not published. Here C3 takes 60 kernels by a table of"
        " neighboring maps, and each of F5's 120 units takes five or four of the 16 maps. This"
        " gives 16,998 parameters and 258,306 connections; the paper says about 17,000 and 260,000."
        " With all 16 maps, the 120 units alone would have 48,120 parameters",
        "the global rates are half of LeNet-5's, the only ones in the paper; LeNet-5's rates give"
        " more errors",
    ),
    expected_parameters=16_998,
    expected_connections=258_306,
)

VARIANTS_1998 = (LENET1, LENET4, LENET5_1998, LENET5_1998_FULL)
