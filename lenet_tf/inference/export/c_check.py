"""Compares exported C code with LiteRT, TFLite-Micro and the network that it was made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from lenet_tf.errors import LenetError
from lenet_tf.inference.export.c_micro import MicroRun

# Shares of images with other probabilities and with other answers that are only rounding: LiteRT's
# fully connected layers round once where this code rounds twice, as TFLite-Micro does.
MAX_DIFFERENT, MAX_CHANGED = 0.5, 0.01
STEPS = 256


@dataclass(frozen=True)
class Comparison:
    """How far probabilities in 256ths are from others.

    Attributes:
        images: The number of images.
        different_images: How many of them have a probability that differs.
        different_outputs: How many probabilities differ.
        largest_steps: The largest difference, in 256ths.
        changed_answers: How many images have another most probable class.
    """

    images: int
    different_images: int
    different_outputs: int
    largest_steps: int
    changed_answers: int

    @property
    def is_rounding(self) -> bool:
        """Whether the differences are as few as rounding makes them."""
        return (
            self.different_images <= MAX_DIFFERENT * self.images
            and self.changed_answers <= MAX_CHANGED * self.images
        )

    def describe(self) -> str:
        """Describe it in one line."""
        if not self.different_outputs:
            return f"equal for all {self.images:,} images"
        return (
            f"{self.different_images:,} of {self.images:,} images differ, by at most"
            f" {self.largest_steps}/{STEPS}; {self.changed_answers:,} answers changed"
        )


def compare(parts: np.ndarray, others: np.ndarray) -> Comparison:
    """Compare probabilities of the same images.

    Args:
        parts: In 256ths, uint8 (N, classes).
        others: Likewise.

    Returns:
        The differences.
    """
    steps = np.abs(parts.astype(np.int64) - others)
    return Comparison(
        len(parts),
        int(np.count_nonzero(steps.max(axis=1))),
        int(np.count_nonzero(steps)),
        int(steps.max()),
        int(np.count_nonzero(parts.argmax(axis=1) != others.argmax(axis=1))),
    )


def check_code(
    title: str, parts: np.ndarray, litert: np.ndarray, micro: MicroRun | str
) -> dict[str, Comparison]:
    """Compare the answers of C code with those of the same integers elsewhere.

    Args:
        title: Name of the network.
        parts: The C code's probabilities in 256ths, uint8 (N, classes).
        litert: LiteRT's, likewise.
        micro: Those of TFLite-Micro for the first images, or why there are none.

    Returns:
        The comparisons by the other side's name.

    Raises:
        LenetError: If they differ by more than rounding.
    """
    comparisons = {"litert": compare(parts, litert)}
    if isinstance(micro, MicroRun):
        comparisons["tflite_micro"] = compare(
            parts[: len(micro.probabilities)], micro.probabilities
        )
    for name, comparison in comparisons.items():
        if not comparison.is_rounding:
            raise LenetError(
                f"the C code of {title} doesn't answer as {name} does, so it isn't kept:"
                f" {comparison.describe()}. Please report this with the name of your C compiler"
            )
    return comparisons


def to_dictionary(comparisons: dict[str, Comparison]) -> dict[str, dict[str, int]]:
    """Return comparisons as they are written to JSON."""
    return {name: asdict(comparison) for name, comparison in comparisons.items()}
