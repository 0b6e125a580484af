"""Rows of the results table that are no variants: a variant with one thing changed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from lenet_tf.specs.augmentation import AUGMENTATIONS
from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import Recipe
from lenet_tf.specs.rows import Row
from lenet_tf.specs.rows_pooling import Pooling
from lenet_tf.specs.rows_standard import Convolution, Dense
from lenet_tf.specs.spec import Spec
from lenet_tf.specs.variants import RECIPES, VARIANTS

# The recipe of all comparisons: the tutorial's, on 54,000 images.
_COMPARED: dict[str, Any] = {"recipe": Recipe(validation=0.1)}
_HELD_OUT = "lenet5 with 10% of the training images held out"
_FASHION: dict[str, Any] = {"data": "fashion_mnist"}
_CIFAR10: dict[str, Any] = {"data": "cifar10_jpeg"}
_JPEG = "CIFAR-10, JPEG copy"


def _vary(name: str, base: str, notes: str, **changes: Any) -> Spec:
    """Make an experiment from a variant."""
    source = f"This project: {notes}"
    return replace(VARIANTS[base], name=name, notes=notes, source=source, **changes)


def _train(name: str, base: str, recipe: str, notes: str = "", **changes: Any) -> Spec:
    """Make an experiment of a variant with one of its named recipes."""
    notes = f"{base} with its recipe {recipe}{notes}"
    return _vary(name, base, notes, recipe=RECIPES[base][recipe], **changes)


def _change_lenet5(kind: type[Row], **changes: Any) -> tuple[Row, ...]:
    rows = VARIANTS["lenet5"].rows
    return tuple(row.replace(**changes) if isinstance(row, kind) else row for row in rows)


def _build_mlp(*units: int, distorted: bool = False) -> Spec:
    """Make a fully connected network of figure 9 with the recipe of mlp-300-100."""
    base = VARIANTS["mlp-300-100"]
    name = "-".join(["mlp", *map(str, units), *["distorted"] * distorted])
    first, *_, output = base.rows[1:]
    hidden = (Dense(f"F{n}", units=count, activation="tanh") for n, count in enumerate(units, 1))
    sizes = (28 * 28, *units, 10)
    return _vary(
        name,
        base.name,
        f"{sizes[0]}-{'-'.join(map(str, sizes[1:]))} without convolution"
        + ", trained on distorted images" * distorted,
        rows=(base.rows[0], first, *hidden, output),
        recipe=replace(base.recipe, augmentation=AUGMENTATIONS["affine"])
        if distorted
        else base.recipe,
        expected_parameters=sum((ins + 1) * outs for ins, outs in itertools.pairwise(sizes)),
    )


_ALL = (
    _vary(
        "lenet5-divided-twice",
        "lenet5",
        "lenet5 with test images divided by 255 twice, as in the tutorial's code",
        preparation=Preparation(test_normalization="unit_twice"),
    ),
    _vary("lenet5-held-back", "lenet5", _HELD_OUT, **_COMPARED),
    _vary(
        "lenet5-max",
        "lenet5",
        f"{_HELD_OUT}, and max pooling",
        rows=_change_lenet5(Pooling, pool="max"),
        **_COMPARED,
    ),
    _vary(
        "lenet5-no-padding",
        "lenet5",
        f"{_HELD_OUT}, and no padding in C1",
        rows=_change_lenet5(Convolution, padding="valid"),
        expected_parameters=44_426,
        **_COMPARED,
    ),
    _vary("lenet5-fashion", "lenet5", f"{_HELD_OUT}, on Fashion-MNIST", **_COMPARED, **_FASHION),
    _train("lenet5-modern-fast", "lenet5-modern", "fast"),
    _train("lenet5-modern-accurate", "lenet5-modern", "accurate"),
    _train("lenet5-modern-fashion", "lenet5-modern", "accurate", ", on Fashion-MNIST", **_FASHION),
    _vary("lenet5-color-cifar10", "lenet5-color", f"lenet5-color on {_JPEG}", **_CIFAR10),
    _vary(
        "lenet5-modern-color-cifar10",
        "lenet5-modern-color",
        f"lenet5-modern-color on {_JPEG}",
        **_CIFAR10,
    ),
    _train(
        "lenet5-modern-color-accurate",
        "lenet5-modern-color",
        "accurate",
        f", on {_JPEG}",
        **_CIFAR10,
    ),
    _train("lenet5-1998-eq8", "lenet5-1998", "eq8"),
    _train("lenet5-1998-eq8-half-rates", "lenet5-1998", "eq8-half-rates"),
    _train("lenet5-1998-distorted", "lenet5-1998", "distorted"),
    _train("lenet4-distorted", "lenet4", "distorted"),
    _vary(
        "lenet4-paper-rates",
        "lenet4",
        "lenet4 with LeNet-5's learning rates",
        recipe=VARIANTS["lenet1"].recipe,
    ),
    _vary(
        "lenet1-20x20",
        "lenet1",
        "lenet1 with MNIST's 20×20 digits, as in the other networks",
        preparation=replace(VARIANTS["lenet1"].preparation, digit_size=None),
    ),
    _build_mlp(300),
    _build_mlp(1000),
    _build_mlp(500, 150),
    _build_mlp(300, distorted=True),
    _build_mlp(1000, distorted=True),
    _build_mlp(300, 100, distorted=True),
    _build_mlp(500, 150, distorted=True),
)
EXPERIMENTS: dict[str, Spec] = {spec.name: spec for spec in _ALL}
