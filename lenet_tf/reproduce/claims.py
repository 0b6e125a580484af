"""Claims of the tutorial, its companion posts and the paper, each as two rows to compare."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """A claim that one row has a higher test accuracy than another.

    Attributes:
        claim: The claim, in Markdown.
        source: Who makes it.
        better: The name of the row that should be better.
        worse: The name of the other row.
        shift: How many pixels the test images are shifted; 0 for the unchanged test images.
    """

    claim: str
    source: str
    better: str
    worse: str
    shift: int = 0


_PROJECT, _POSTS = "this project", "the companion posts"
_LOSSES, _DISTORTIONS = "LeCun et al. 1998, II.C", "LeCun et al. 1998, III.B"
_BASE, _MLP = "lenet5-held-back", "mlp-300-100"
_MAP, _MLE, _HALF_RATES = "lenet5-1998", "lenet5-1998-eq8", "lenet5-1998-eq8-half-rates"

COMPARISONS: tuple[Comparison, ...] = (
    Comparison("two 3×3 convolutions beat one 5×5", _PROJECT, "lenet5-3x3", _BASE),
    Comparison("max pooling beats average pooling", "the tutorial", "lenet5-max", _BASE),
    Comparison("zero padding beats none (fewer parameters)", _PROJECT, _BASE, "lenet5-no-padding"),
    Comparison("a CNN beats a dense network", _POSTS, _BASE, _MLP),
    Comparison("… on digits shifted by 1 pixel", _POSTS, _BASE, _MLP, shift=1),
    Comparison("… on digits shifted by 2 pixels", _POSTS, _BASE, _MLP, shift=2),
    Comparison("… on digits shifted by 3 pixels", _POSTS, _BASE, _MLP, shift=3),
    Comparison("… on digits shifted by 4 pixels", _POSTS, _BASE, _MLP, shift=4),
    Comparison("eq. 9 beats eq. 8", _LOSSES, _MAP, _MLE),
    Comparison("… eq. 8 at half the paper's rates", _LOSSES, _MAP, _HALF_RATES),
    Comparison("half the rates suit eq. 8 better", _PROJECT, _HALF_RATES, _MLE),
    Comparison("distortions help", _DISTORTIONS, "lenet5-1998-distorted", _MAP),
)
