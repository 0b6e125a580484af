"""The claims of the tutorial, the posts beside it and the paper, each as two rows of the plan to compare."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """A claim: the first of two rows is better than the second, seed by seed. `shift`: on digits shifted by so many pixels; 0: on the
    test images as they are."""

    claim: str
    source: str
    better: str
    worse: str
    shift: int = 0


COMPARISONS: tuple[Comparison, ...] = (
    Comparison(
        "two 3×3 convolutions beat the 5×5 that they cover",
        "asked here",
        "lenet5-3x3",
        "lenet5-held-back",
    ),
    Comparison(
        "max pooling beats average pooling", "the tutorial", "lenet5-max", "lenet5-held-back"
    ),
    Comparison(
        "zero padding beats none (fewer parameters)",
        "asked here",
        "lenet5-held-back",
        "lenet5-no-padding",
    ),
    Comparison(
        "a CNN beats a dense network", "the companion posts", "lenet5-held-back", "mlp-300-100"
    ),
    *(
        Comparison(
            f"… on digits shifted by {by} pixel{'s' * (by > 1)}",
            "the companion posts",
            "lenet5-held-back",
            "mlp-300-100",
            by,
        )
        for by in (1, 2, 3, 4)
    ),
    Comparison("eq. 9 beats eq. 8", "LeCun et al. 1998, II.C", "lenet5-1998", "lenet5-1998-eq8"),
    Comparison(
        "… eq. 8 at half the paper's rates",
        "LeCun et al. 1998, II.C",
        "lenet5-1998",
        "lenet5-1998-eq8-half-rates",
    ),
    Comparison(
        "half the rates suit eq. 8 better",
        "asked here",
        "lenet5-1998-eq8-half-rates",
        "lenet5-1998-eq8",
    ),
    Comparison(
        "distortions help", "LeCun et al. 1998, III.B", "lenet5-1998-distorted", "lenet5-1998"
    ),
)
