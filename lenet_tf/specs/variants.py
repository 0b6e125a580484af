"""The networks that have a name, each a table with its source and its recipe."""

from __future__ import annotations

from dataclasses import replace

from lenet_tf.errors import SpecError, did_you_mean
from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import AUGMENTATIONS, Optimizer, Recipe
from lenet_tf.specs.rows import Convolution, Dense, Dropout, Flatten, Input, Row
from lenet_tf.specs.rows_pooling import Pooling
from lenet_tf.specs.spec import Spec
from lenet_tf.specs.variants_1998 import HALF_RATES, LENET1, LENET4, LENET5_1998, LENET5_1998_FULL


def _each(rows: tuple[Row, ...], kind: type[Row], **changes: object) -> tuple[Row, ...]:
    """The rows with every row of type `kind` changed alike."""
    return tuple(replace(row, **changes) if isinstance(row, kind) else row for row in rows)


def _with_rows(rows: tuple[Row, ...], changes: dict[str, tuple[Row, ...]]) -> tuple[Row, ...]:
    """The rows with those named in `changes` replaced by the rows given for them."""
    return tuple(new for row in rows for new in changes.get(row.name, (row,)))


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
    rows=_with_rows(
        _LENET5.rows,
        {"INPUT": (Input(shape=(32, 32, 1)),), "C1": (replace(_LENET5.rows[1], padding="valid"),)},
    ),
    recipe=replace(_LENET5.recipe, validation=0.1),
    preparation=Preparation(pad_to=32),
    notes="lenet5 on images padded to 32×32 without padding in C1, as the tutorial's table (not its code) has it",
)

_LENET5_MODERN = replace(
    _LENET5,
    name="lenet5-modern",
    rows=_each(
        _each(
            _each(_LENET5.rows[:-1], Convolution, activation="relu", initializer="he_normal"),
            Pooling,
            pool="max",
        ),
        Dense,
        activation="relu",
        initializer="he_normal",
    )
    + _LENET5.rows[-1:],
    recipe=replace(_LENET5.recipe, validation=0.1),
    source="This project: lenet5's topology with what has become usual since",
    notes="lenet5 with ReLU, max pooling and He initialization; its own recipe is lenet5's, not tuned; its recipes fast and accurate are",
)

_LENET5_3X3 = replace(
    _LENET5,
    name="lenet5-3x3",
    rows=_with_rows(
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
    source="This project, after the tutorial's claim that two 3×3 kernels cover what one 5×5 does, with fewer parameters",
    notes="lenet5 with each 5×5 convolution replaced by two of 3×3. 18 weights stand for 25 only from one map to one: here 1,018 more",
    expected_parameters=62_724,
)

_LENET5_COLOR = replace(
    _LENET5,
    name="lenet5-color",
    rows=_with_rows(_LENET5_32.rows, {"INPUT": (Input(shape=(32, 32, 3)),)}),
    recipe=_LENET5_32.recipe,
    preparation=Preparation(pad_to=32, channels=3),
    data="cifar10",
    source="This project, after the companion posts' step from gray to color images",
    notes="lenet5-32 on 32×32 color images, CIFAR-10 unless told otherwise; gray images become three equal channels",
    expected_parameters=61_706 + 2 * 25 * 6,
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

_LENET_CAFFE = Spec(
    name="lenet-caffe",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=20, kernel=5),
        Pooling("S2", pool="max"),
        Convolution("C3", filters=50, kernel=5),
        Pooling("S4", pool="max"),
        Flatten(),
        Dense("F5", units=500, activation="relu"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    recipe=Recipe(Optimizer("sgd", 0.01, momentum=0.9), epochs=10, batch_size=64),
    source="Caffe's MNIST example (BVLC/caffe, examples/mnist), there called LeNet",
    notes="20-50-500, max pooling, one ReLU; SGD with momentum. Caffe's weight decay, decaying rate and doubled bias rate are left out",
    expected_parameters=431_080,
)

_KERAS_CONVNET = Spec(
    name="keras-convnet",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=32, kernel=3, activation="relu"),
        Pooling("S2", pool="max"),
        Convolution("C3", filters=64, kernel=3, activation="relu"),
        Pooling("S4", pool="max"),
        Flatten(),
        Dropout("D5", rate=0.5),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    recipe=Recipe(epochs=15, batch_size=128),
    source="The Keras documentation's example mnist_convnet",
    notes="3×3 kernels, ReLU, max pooling, dropout, one dense layer; Adam, 15 epochs; about 99% reported",
    expected_parameters=34_826,
)

_MLP = Spec(
    name="mlp-300-100",
    rows=(
        Input(shape=(28, 28, 1)),
        Flatten(),
        Dense("F1", units=300, activation="tanh"),
        Dense("F2", units=100, activation="tanh"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    source="LeCun et al. 1998, section III.C: a fully connected network with two hidden layers",
    notes="no convolution; 3.05% test error reported. Softmax, cross-entropy and Adam here, where the paper has squared error and SGD",
    expected_parameters=266_610,
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

_ALL = (
    _LENET5,
    _LENET5_32,
    _LENET5_MODERN,
    _LENET5_3X3,
    _LENET5_COLOR,
    LENET1,
    LENET4,
    LENET5_1998,
    LENET5_1998_FULL,
    _CNN_38K,
    _LENET_CAFFE,
    _KERAS_CONVNET,
    _MLP,
    _TINY,
)
VARIANTS: dict[str, Spec] = {spec.name: spec for spec in _ALL}


def get_spec(name: str) -> Spec:
    """The variant of that name; raises `SpecError` with the nearest names if there is none."""
    if name not in VARIANTS:
        raise SpecError(
            f"unknown variant {name!r}: {did_you_mean(name, VARIANTS, 'lenet-tf variants lists them all')}"
        )
    return VARIANTS[name]


# Variant → the recipes that it can be trained by beside its own.
RECIPES: dict[str, dict[str, Recipe]] = {
    "lenet5-modern": {
        "fast": Recipe(
            Optimizer("adamw", 0.005, beta_2=0.99, weight_decay=0.01, schedule="one_cycle"),
            epochs=2,
            batch_size=64,
            validation=0.02,
            label_smoothing=0.05,
        ),
        # Among the best of 67 settings on 10,000 held-back images, and the simplest of those (benchmarks/sweep.py, tune.py).
        "accurate": Recipe(
            Optimizer("adamw", 0.005, beta_2=0.99, weight_decay=0.05, schedule="one_cycle"),
            epochs=40,
            batch_size=64,
            validation=0.02,
            augmentation=AUGMENTATIONS["affine"],
            label_smoothing=0.05,
        ),
    },
    "lenet4": {
        "distorted": replace(LENET4.recipe, augmentation=AUGMENTATIONS["affine"]),
    },
    "lenet5-1998": {
        # Eq. 8 alone, without the term that pushes the wrong classes away.
        "eq8": replace(LENET5_1998.recipe, loss="lecun1998_mle"),
        "eq8-half-rates": replace(LENET5_1998.recipe, loss="lecun1998_mle", optimizer=HALF_RATES),
        "distorted": replace(LENET5_1998.recipe, augmentation=AUGMENTATIONS["affine"]),
    },
}


def get_recipe(variant: str, name: str) -> Recipe:
    """The variant's recipe of that name; raises `SpecError` with those that there are."""
    known = RECIPES.get(variant, {})
    if name not in known:
        others = "; ".join(f"{own} has {', '.join(names)}" for own, names in RECIPES.items())
        raise SpecError(f"{variant} has no recipe {name!r} beside its own: {others}")
    return known[name]
