"""The preparation of raw images for a network, and the shape that results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lenet_tf.errors import DataError
from lenet_tf.specs import validators
from lenet_tf.specs.parsing import SuggestsFields

# The box, in pixels, that MNIST's digits were fitted into (LeCun et al. 1998, section III.A).
MNIST_DIGIT = 20
# A padded image of 4,096 × 4,096 with 16 channels takes 1 GiB as float32.
_MAX_SIDE, _MAX_CHANNELS = 4_096, 16
NORMALIZATIONS = ("unit", "lecun1998", "unit_twice")


def check_padding(height: int, width: int, size: int) -> None:
    """Raise `DataError` unless an image of `height` × `width` fits into `size` × `size`."""
    if height > size or width > size:
        raise DataError(
            f"images of {height}×{width} do not fit into the {size}×{size} that the network pads to"
        )


def check_channels(channels: int, target: int) -> None:
    """Raise `DataError` unless images of `channels` channels can become images of `target`."""
    if channels not in (1, target):
        raise DataError(
            f"images of {channels} channels cannot become images of {target}: only gray ones can"
        )


@dataclass(frozen=True)
class Preparation(SuggestsFields):
    """How raw images with values 0 to 255 are prepared for a network.

    Attributes:
        digit_size: Side in pixels to which the 20×20 box of MNIST's digits is reduced, 16 for
            LeNet-1; the image keeps its size. None changes nothing.
        pad_to: Height and width to which zeros pad the image, centered. None pads nothing.
        channels: 3 repeats a gray image in three channels. None changes nothing.
        normalization: `unit` maps to [0, 1], as in the tutorial. `lecun1998` maps to
            [-0.1, 1.175], background to ink, as in LeCun et al. 1998, section II.B.
            `unit_twice` maps to [0, 1/255], the tutorial's erratum.
        test_normalization: Normalization of the test images; None means the same.

    Raises:
        SpecError: If a value is out of range.

    Example:
        >>> from lenet_tf.specs import Preparation
        >>> Preparation(pad_to=32).output_shape((28, 28))
        (32, 32, 1)
    """

    digit_size: int | None = None
    pad_to: int | None = None
    channels: int | None = None
    normalization: str = "unit"
    test_normalization: str | None = None

    @property
    def for_test_images(self) -> Preparation:
        """The preparation of test images."""
        return replace(
            self,
            normalization=self.test_normalization or self.normalization,
            test_normalization=None,
        )

    def output_shape(self, image_shape: Sequence[int]) -> tuple[int, int, int]:
        """Compute the shape of a prepared image from the shape of a raw one.

        Args:
            image_shape: Shape of one raw image, `(height, width)` or `(height, width, channels)`.

        Returns:
            The shape `(height, width, channels)` that the network sees.

        Raises:
            DataError: If images of this shape cannot be prepared.
        """
        if len(image_shape) not in (2, 3):
            raise DataError(
                "images must have the shape (height, width) or (height, width, channels), "
                f"not {tuple(image_shape)}"
            )
        height, width, *rest = (int(size) for size in image_shape)
        channels = rest[0] if rest else 1
        if self.pad_to is not None:
            check_padding(height, width, self.pad_to)
            height = width = self.pad_to
        if self.channels is not None:
            check_channels(channels, self.channels)
            channels = self.channels
        return height, width, channels

    def __post_init__(self) -> None:
        if self.digit_size is not None:
            validators.check_positive("digit_size", self.digit_size, MNIST_DIGIT)
        if self.pad_to is not None:
            validators.check_positive("pad_to", self.pad_to, _MAX_SIDE)
        if self.channels is not None:
            validators.check_positive("channels", self.channels, _MAX_CHANNELS)
        validators.check_one_of("normalization", self.normalization, NORMALIZATIONS)
        if self.test_normalization is not None:
            validators.check_one_of("test_normalization", self.test_normalization, NORMALIZATIONS)
