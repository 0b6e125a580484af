"""The rows of the plan that repeat the networks of the 1998 paper."""

from __future__ import annotations

from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.specs import get_spec

PAPER = "LeCun et al. 1998"

_LENET5_ROWS = (
    TableRow(
        "lenet5-1998",
        "the paper's network and training: eq. 9, second-order rates, 20 epochs",
        get_spec("lenet5-1998"),
        seeds=5,
        published_error=0.95,
        published_by=PAPER,
        target_error=1.10,
        note=(
            "differs from the paper in initial weights, output codes, the constant j and the"
            " second derivatives, which are those of eq. 8; any of these, or chance, may explain"
            " the difference"
        ),
    ),
    TableRow(
        "lenet5-1998-eq8",
        "… with eq. 8 as its loss",
        get_spec("lenet5-1998-eq8"),
        seeds=5,
        published_error=0.95,
        published_by=PAPER,
        target_error=1.10,
        attempts=(
            "Errors on 10,000 validation images, one seed each (`tuning.jsonl`): 134 with the"
            " paper's rates and μ; 129 and 117 with μ = 0.05 and 0.1 instead of 0.02; 125 with"
            " second derivatives from 2,000 images instead of 500; 107 with half the rates, which"
            " is `lenet5-1998-eq8-half-rates`."
        ),
    ),
    TableRow(
        "lenet5-1998-eq8-half-rates",
        "… with eq. 8 and half the paper's learning rates",
        get_spec("lenet5-1998-eq8-half-rates"),
        seeds=5,
        target_error=1.10,
        note=(
            "chosen after `lenet5-1998-eq8` missed its target; the paper has no result for these"
            " rates"
        ),
        attempts=(
            "Errors on 10,000 validation images, one seed each: 107 with this recipe; 123 with ten"
            " more epochs. The second run used the published order of images and therefore other"
            " validation images."
        ),
    ),
    TableRow(
        "lenet5-1998-distorted",
        "… with distorted training images",
        get_spec("lenet5-1998-distorted"),
        seeds=5,
        published_error=0.8,
        published_by=PAPER,
        target_error=0.95,
        note=(
            "two of its five seeds were added after three left the comparison with `lenet5-1998`"
            " undecided; it trains on distorted images only"
        ),
    ),
)

_LENET4_ROWS = (
    TableRow(
        "lenet4",
        "assumed connections, half of LeNet-5's learning rates",
        get_spec("lenet4"),
        seeds=3,
        published_error=1.1,
        published_by=PAPER,
        target_error=1.1,
        note=(
            "the paper gives learning rates for LeNet-5 only; half of them were chosen on"
            " validation images after seed 0 of `lenet4-paper-rates` missed the target"
        ),
        attempts=(
            "Errors on 10,000 validation images, one seed each (`tuning.jsonl`): 107 with half of"
            " LeNet-5's rates, as in this row; 155 with all of them; 124 with a quarter; 104 with"
            " half and ten more epochs; 146 with half and μ = 0.1 instead of 0.02; 137 with all"
            " and μ = 0.1; 170 with Adam. With LeNet-5's own rates: 211 with all 16 maps connected"
            " to each unit of F5; 287 with squared error; 213 with ten times its gradients (the"
            " sum over outputs instead of Keras' mean). With one seed each, differences below 30"
            " errors mean little. In the published order of images, which changes the validation"
            " images: 122 with half of the rates; 124 with a quarter and ten more epochs; 77 with"
            " half and distorted images, which is `lenet4-distorted`. The gap to the target is"
            " smaller than the sampling error of 10,000 test images."
        ),
    ),
    TableRow(
        "lenet4-paper-rates",
        "… with LeNet-5's learning rates",
        get_spec("lenet4-paper-rates"),
        seeds=3,
    ),
    TableRow(
        "lenet4-distorted",
        "… with distorted training images and half of LeNet-5's learning rates",
        get_spec("lenet4-distorted"),
        seeds=3,
        note=(
            "chosen on validation images after `lenet4` missed its target; the paper has no result"
            " for a single LeNet-4 trained on distorted images"
        ),
    ),
)

_LENET1_ROWS = (
    TableRow(
        "lenet1",
        "2,578 parameters, digits reduced to 16×16",
        get_spec("lenet1"),
        seeds=3,
        published_error=1.7,
        published_by=PAPER,
        target_error=1.7,
        note=(
            "the paper's LeNet-1 result is for digits subsampled to 16×16, by an unknown method;"
            " its other results are for MNIST's 20×20 digits"
        ),
    ),
    TableRow(
        "lenet1-20x20",
        "… with MNIST's 20×20 digits, as in the other networks",
        get_spec("lenet1-20x20"),
        seeds=3,
    ),
)

_MLP_NOTE = "uses cross-entropy and Adam; the paper uses squared error and gradient descent"
_MLP_DISTORTED_NOTE = (
    f"{_MLP_NOTE}; its distortions are those of `lenet5-1998-distorted`, drawn anew in each epoch"
)
# The fully connected networks of figure 9: hidden units, published errors without and with
# distortions.
_MLPS = {
    "300": (4.7, 3.6),
    "1000": (4.5, 3.8),
    "300-100": (3.05, 2.5),
    "500-150": (2.95, 2.45),
}


def _create_mlp_row(hidden: str, published: float, distorted: bool) -> TableRow:
    name = f"mlp-{hidden}{'-distorted' * distorted}"
    return TableRow(
        name,
        "… with distorted training images" if distorted else f"no convolution, 784-{hidden}-10",
        get_spec(name),
        seeds=5,
        published_error=published,
        published_by=PAPER,
        target_error=published,
        test_shifted=name == "mlp-300-100",
        note=_MLP_DISTORTED_NOTE if distorted else _MLP_NOTE,
    )


_MLP_ROWS = tuple(
    _create_mlp_row(hidden, error, distorted)
    for hidden, errors in _MLPS.items()
    for distorted, error in zip((False, True), errors, strict=True)
)

PAPER_ROWS: tuple[TableRow, ...] = (*_LENET5_ROWS, *_LENET4_ROWS, *_LENET1_ROWS, *_MLP_ROWS)
