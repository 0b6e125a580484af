"""The results plan: which networks are trained how, over how many seeds, against which published number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lenet_tf.errors import SpecError, suggest_name
from lenet_tf.specs import Pooling, Preparation, Recipe, Spec, get_recipe, get_spec


@dataclass(frozen=True)
class TableRow:
    """One row of the table: runs that differ in nothing but their seeds, 0 to `seeds` − 1.

    `published`: the test error in %, None where there is no one number; `by`: whose it is. `target`: the mean test error in % to stay
    below. `best_epoch`: the best epoch by test images is told too, as the tutorial does. `shifted`: tested on shifted digits as well.
    `note`: why ours differs; `tried`: what was tried for a target that is missed.
    """

    name: str
    title: str
    spec: Spec
    seeds: int
    data: str = "mnist"
    published: float | None = None
    by: str = ""
    target: float | None = None
    best_epoch: bool = False
    shifted: bool = False
    note: str = ""
    tried: str = ""

    @property
    def digest(self) -> str:
        """Names what decides a run's numbers beside its seed: the table without its texts, the recipe, the data set, the tests."""
        table = decisive_fields(self.spec) | {"data": self.data, "shifted": self.shifted}
        # The published records were named with the former spelling.
        text = json.dumps(
            table | {"preparation": _former_spelling(table["preparation"])}, sort_keys=True
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: what a run needs to know of its row; `from_dict` reads it back."""
        return {
            "name": self.name,
            "title": self.title,
            "seeds": self.seeds,
            "data": self.data,
            "shifted": self.shifted,
        } | {"spec": self.spec.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TableRow:
        return cls(**dict(values) | {"spec": Spec.from_dict(values["spec"])})


def _former_spelling(preparation: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("normaliz", "normalis"): value for name, value in preparation.items()}


def decisive_fields(spec: Spec) -> dict[str, Any]:
    """What of a spec decides a run's numbers. Without what is None: an option that is added to the package later changes nothing."""

    def given(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: given(inner) for name, inner in value.items() if inner is not None}
        return [given(inner) for inner in value] if isinstance(value, list) else value

    table = spec.to_dict()
    return given({part: table[part] for part in ("rows", "recipe", "preparation")})


def _held_back(spec: Spec, name: str, **changes: Any) -> Spec:
    """Trained as the others of a comparison: the tutorial's recipe on 54,000 images."""
    return replace(spec, name=name, recipe=Recipe(validation=0.1), **changes)


_LENET5, _LENET5_1998, _MLP = get_spec("lenet5"), get_spec("lenet5-1998"), get_spec("mlp-300-100")
_BASE = _held_back(_LENET5, "lenet5-held-back")
_MAX = _held_back(
    _LENET5,
    "lenet5-max",
    rows=tuple(replace(r, pool="max") if isinstance(r, Pooling) else r for r in _LENET5.rows),
)
_NO_PADDING = _held_back(
    _LENET5,
    "lenet5-no-padding",
    rows=(_LENET5.rows[0], _LENET5.rows[1].replace(padding="valid"), *_LENET5.rows[2:]),
    expected_parameters=44_426,
)
_TWICE = replace(
    _LENET5, name="lenet5-divided-twice", preparation=Preparation(test_normalization="unit_twice")
)
_ACCURATE = replace(get_spec("lenet5-modern"), recipe=get_recipe("lenet5-modern", "accurate"))
_TUTORIAL, _PAPER = "the tutorial, 2022", "LeCun et al. 1998"
# github.com/zalandoresearch/fashion-mnist lists submissions, unverified: those of two convolutions have accuracies of 0.876 to 0.932, the
# smallest of them, below 100,000 parameters, 0.925.
_SUBMITTED = "6.8–12.4 (seven of two convolutions on Zalando's list; 7.5 with < 100,000 parameters)"

ROWS: tuple[TableRow, ...] = (
    TableRow(
        "lenet5",
        "the tutorial's recipe as corrected",
        _LENET5,
        seeds=10,
        published=1.29,
        by=_TUTORIAL,
        best_epoch=True,
    ),
    TableRow(
        "lenet5-divided-twice",
        "… test images divided by 255 twice, as the tutorial's code does",
        _TWICE,
        seeds=3,
        note="what the tutorial's code measures as printed; a guess would be wrong for 90%",
    ),
    TableRow(
        "lenet5-1998",
        "the paper's network and training: eq. 9, second-order rates, 20 passes",
        _LENET5_1998,
        seeds=5,
        published=0.95,
        by=_PAPER,
        target=1.10,
        note="departs from the paper in first weights, output codes, the constant j and the second derivatives, which are eq. 8's; one or"
        " several of them, or the luck of one run, make the difference",
    ),
    TableRow(
        "lenet5-1998-eq8",
        "… with eq. 8 as its loss",
        replace(_LENET5_1998, recipe=get_recipe("lenet5-1998", "eq8")),
        seeds=5,
        published=0.95,
        by=_PAPER,
        target=1.10,
        tried="Errors on 10,000 held-back training images, one seed each (`tuning.jsonl`): 134 with the paper's rates and μ, 129 and 117"
        " with μ 0.05 and 0.1 instead of 0.02, 125 with 2,000 images for the second derivatives instead of 500, 107 with half the"
        " rates, which is `lenet5-1998-eq8-half-rates`.",
    ),
    TableRow(
        "lenet5-1998-eq8-half-rates",
        "… with eq. 8 and half the paper's rates",
        replace(_LENET5_1998, recipe=get_recipe("lenet5-1998", "eq8-half-rates")),
        seeds=5,
        target=1.10,
        note="chosen after `lenet5-1998-eq8` had missed its target; the paper has no number for these rates",
        tried="Errors on 10,000 held-back training images: 107 as it is and, in the published order of images, where other ones are held"
        " back, 123 with ten more passes; one seed each.",
    ),
    TableRow(
        "lenet5-1998-distorted",
        "… with distorted training images",
        replace(_LENET5_1998, recipe=get_recipe("lenet5-1998", "distorted")),
        seeds=5,
        published=0.8,
        by=_PAPER,
        target=0.95,
        note="the row got two of its five seeds after three had left its comparison with `lenet5-1998` open; it trains on distorted images"
        " only",
    ),
    TableRow(
        "lenet4",
        "connections assumed, half of LeNet-5's rates",
        get_spec("lenet4"),
        seeds=3,
        published=1.1,
        by=_PAPER,
        target=1.1,
        note="the paper gives rates for LeNet-5 only; half of them were chosen on held-back images after seed 0 of"
        " `lenet4-paper-rates` had missed the target",
        tried="Errors on 10,000 held-back training images, one seed each (`tuning.jsonl`): 107 with half of LeNet-5's rates, which the row"
        " has, 155 with all of them, 124 with a quarter, 104 with half and ten more passes, 146 with half and μ 0.1 instead of 0.02,"
        " 137 with all and μ 0.1, 170 with Adam; and at LeNet-5's own rates 211 with all 16 maps for each unit of F5, 287 with"
        " squared errors, 213 with ten times their gradients (their sum instead of Keras' mean). One seed each: differences below 30"
        " errors say little. In the published order of images, where other ones are held back: 122 with half of the rates, 124 with a"
        " quarter and ten more passes, 77 with half and distorted images, which is `lenet4-distorted`. What is missed is less than the"
        " sampling error of 10,000 test images.",
    ),
    TableRow(
        "lenet4-paper-rates",
        "… at LeNet-5's rates",
        replace(get_spec("lenet4"), recipe=get_spec("lenet1").recipe),
        seeds=3,
    ),
    TableRow(
        "lenet4-distorted",
        "… with distorted training images, half of LeNet-5's rates",
        replace(get_spec("lenet4"), recipe=get_recipe("lenet4", "distorted")),
        seeds=3,
        note="chosen on held-back images after `lenet4` had missed its target; the paper has no number for one distorted LeNet-4",
    ),
    TableRow(
        "lenet1",
        "2,578 parameters, digits reduced to 16×16",
        get_spec("lenet1"),
        seeds=3,
        published=1.7,
        by=_PAPER,
        target=1.7,
        note="LeNet-1's number is for digits subsampled to 16×16, the others' for MNIST's 20×20; how it was done is not known",
    ),
    TableRow(
        "lenet1-20x20",
        "… MNIST's digits of 20×20, as the other networks have them",
        replace(
            get_spec("lenet1"), preparation=replace(get_spec("lenet1").preparation, digit_size=None)
        ),
        seeds=3,
    ),
    TableRow(
        "mlp-300-100",
        "no convolution",
        _MLP,
        seeds=5,
        published=3.05,
        by=_PAPER,
        target=3.05,
        shifted=True,
        note="cross-entropy and Adam where the paper has squared error and gradient descent",
    ),
    TableRow(
        "cnn-38k",
        "the tutorial's companion",
        get_spec("cnn-38k"),
        seeds=5,
        target=1.0,
        tried="Nothing: five earlier runs, in TFDS' order of images and on a processor without AVX-512, had 0.97 ± 0.05% and met it. The"
        " mean of all ten is 1.02%.",
    ),
    TableRow(
        "lenet5-modern-fast",
        "`lenet5-modern`, `--recipe fast`: two epochs",
        replace(get_spec("lenet5-modern"), recipe=get_recipe("lenet5-modern", "fast")),
        5,
    ),
    TableRow(
        "lenet5-held-back",
        "`lenet5`, 10% held back, for the comparisons",
        _BASE,
        seeds=5,
        shifted=True,
    ),
    TableRow(
        "lenet5-3x3",
        "… two 3×3 convolutions for each 5×5 (62,724 parameters)",
        _held_back(get_spec("lenet5-3x3"), "lenet5-3x3"),
        seeds=5,
    ),
    TableRow("lenet5-max", "… max pooling", _MAX, seeds=5),
    TableRow("lenet5-no-padding", "… no padding in C1 (44,426 parameters)", _NO_PADDING, seeds=5),
    TableRow(
        "lenet5-modern-accurate",
        "`lenet5-modern`, `--recipe accurate`: 40 epochs of distorted images, 61,706 parameters",
        _ACCURATE,
        seeds=5,
        target=0.55,
        note="its settings are one of 67 that 450 networks tried on 10,000 held-back training images, `sweep.jsonl`, after `tuning.jsonl`:"
        " the simplest of the best, ninth by mean errors (50.4; the best had 48.2 and the starting point, weight decay 0.01, 58.5). Among"
        " so many settings differences of a few errors come by chance",
    ),
    TableRow(
        "lenet5-fashion",
        "`lenet5`, 10% held back, on Fashion-MNIST",
        _BASE,
        3,
        "fashion_mnist",
        by=_SUBMITTED,
    ),
    TableRow(
        "lenet5-modern-fashion",
        "`lenet5-modern`, `--recipe accurate`, on Fashion-MNIST",
        _ACCURATE,
        3,
        "fashion_mnist",
        by=_SUBMITTED,
        note="the recipe that was chosen on MNIST, unchanged",
    ),
)


def get_rows(names: tuple[str, ...]) -> tuple[TableRow, ...]:
    """The rows of these names, all for none; raises `SpecError` with the nearest names for one that there is not."""
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            raise SpecError(
                f"unknown row {name!r}: {suggest_name(name, known, 'known are ' + ', '.join(known))}"
            )
    return tuple(known[name] for name in dict.fromkeys(names or known))
