"""What TensorBoard shows of a run. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lenet_tf.errors import SpecError

HISTOGRAMS = ("weights", "activations", "gradients")


@dataclass(frozen=True)
class Board:
    """What TensorBoard shows of a run, besides its scalars, texts and graph.

    Args:
        images_every: Write images (filters, feature maps, confusion matrix, worst mistakes) and PR
            curves every so many epochs. None writes them after the first and the last epoch. 0
            never writes them, and no projector either.
        histograms: Histograms to write after each epoch: some of `weights`, `activations` and
            `gradients`.

    Raises:
        SpecError: A value is none of these.

    Example:
        >>> from lenet_tf import Board
        >>> board = Board(images_every=2)
        >>> [board.shows(epoch, epochs=5) for epoch in range(5)]
        [False, True, False, True, True]
    """

    images_every: int | None = None
    histograms: tuple[str, ...] = ("weights",)

    def __post_init__(self) -> None:
        every = self.images_every
        is_count = isinstance(every, int) and not isinstance(every, bool) and every >= 0
        if every is not None and not is_count:
            raise SpecError(
                f"images_every must be a number of epochs, 0 for never, or None, not {every!r}"
            )
        if not isinstance(self.histograms, tuple | list):
            unknown = [self.histograms]
        else:
            unknown = [name for name in self.histograms if name not in HISTOGRAMS]
        if unknown:
            raise SpecError(f"histograms must be of {', '.join(HISTOGRAMS)}, not {unknown[0]!r}")
        object.__setattr__(self, "histograms", tuple(self.histograms))

    def shows(self, epoch: int, epochs: int) -> bool:
        """Return whether an epoch gets images.

        Args:
            epoch: The epoch, counted from 0.
            epochs: Number of epochs of the run.
        """
        if self.images_every == 0:
            return False
        if self.images_every is None:
            return epoch in (0, epochs - 1)
        return (epoch + 1) % self.images_every == 0 or epoch == epochs - 1

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self) | {"histograms": list(self.histograms)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Board:
        """Return the board of a run's checked config.json, or the default for a run without one.

        Entries of other versions are ignored.
        """
        values = config.get("tensorboard", {})
        return cls(
            **{field.name: values[field.name] for field in fields(cls) if field.name in values}
        )
