"""Random distortions of training images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.parsing import SuggestsFields


@dataclass(frozen=True)
class Augmentation(SuggestsFields):
    """Bounds of the random distortions that each training image undergoes in each epoch.

    Every image draws its amounts uniformly within these bounds. The affine distortions are
    those of LeCun et al. 1998, section III.B, which does not give the bounds. The elastic ones
    follow Simard, Steinkraus and Platt 2003.

    Attributes:
        translation: Largest shift in pixels, horizontally and vertically.
        scaling: Largest change of size, as a fraction of it.
        squeezing: Largest change of the aspect ratio, as a fraction of the size: wider and
            lower, or narrower and taller.
        shear: Largest sideways shift in pixels per pixel of height.
        elastic: Factor α of the random displacement field, whose values are in [-1, 1].
        elastic_sigma: Standard deviation in pixels of the Gaussian that smooths the field.
        flip: Whether each image is mirrored left to right with probability 1/2, which suits
            photographs but not digits. None means no.

    Raises:
        SpecError: If a value is out of range.

    Example:
        >>> from lenet_tf.specs import Augmentation
        >>> Augmentation(translation=2.0).translation
        2.0
    """

    translation: float = 0.0
    scaling: float = 0.0
    squeezing: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    elastic_sigma: float = 4.0
    flip: bool | None = None

    def __post_init__(self) -> None:
        for field in ("scaling", "squeezing"):
            validators.check_fraction(field, getattr(self, field))
        for field in ("translation", "shear", "elastic"):
            value = getattr(self, field)
            if not validators.is_number(value) or not 0 <= value < math.inf:
                raise SpecError(
                    f"{field} must be a number at least 0, not {validators.show_value(value)}"
                )
        validators.check_above_zero("elastic_sigma", self.elastic_sigma)
        if not isinstance(self.flip, bool | None):
            raise SpecError(f"flip must be true or false, not {validators.show_value(self.flip)}")


_AFFINE = Augmentation(translation=1.5, scaling=0.1, squeezing=0.1, shear=0.15)
AUGMENTATIONS = {
    "affine": _AFFINE,
    "elastic": Augmentation(elastic=34.0),
    "affine+elastic": replace(_AFFINE, elastic=34.0),
}


def get_augmentation(augmentation: Augmentation | str) -> Augmentation | None:
    """Get an augmentation by name.

    Args:
        augmentation: A key of `AUGMENTATIONS`, `none`, or an augmentation, returned as it is.

    Returns:
        The augmentation; None for `none`.

    Raises:
        SpecError: If the name is unknown; the message suggests similar names.

    Example:
        >>> from lenet_tf.specs import get_augmentation
        >>> get_augmentation("affine").translation
        1.5
    """
    if isinstance(augmentation, Augmentation):
        return augmentation
    validators.check_one_of("augmentation", augmentation, (*AUGMENTATIONS, "none"))
    return AUGMENTATIONS.get(augmentation)
