"""What TensorBoard is to show of a run. Read without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lenet_tf.errors import RunError, SpecError

HISTOGRAMS = ("weights", "activations", "gradients")


@dataclass(frozen=True)
class Board:
    """What TensorBoard is to show of a run, beside its scalars, texts and graph.

    `images_every`: images (filters, feature maps, confusion matrix, worst mistakes) and PR curves after every epoch whose number it
    divides; None: after the first and the last; 0: never, and no projector either. `histograms`: of what after each epoch, some of
    `weights`, `activations` and `gradients`. Raises `SpecError` for anything else.
    """

    images_every: int | None = None
    histograms: tuple[str, ...] = ("weights",)

    def __post_init__(self) -> None:
        every = self.images_every
        if every is not None and (
            isinstance(every, bool) or not isinstance(every, int) or every < 0
        ):
            raise SpecError(
                f"images_every must be a number of epochs, 0 for never, or None, not {every!r}"
            )
        wrong = (
            [name for name in self.histograms if name not in HISTOGRAMS]
            if isinstance(self.histograms, tuple | list)
            else [self.histograms]
        )
        if wrong:
            raise SpecError(f"histograms must be of {', '.join(HISTOGRAMS)}, not {wrong[0]!r}")
        object.__setattr__(self, "histograms", tuple(self.histograms))

    def shows(self, epoch: int, epochs: int) -> bool:
        """Whether images belong to the epoch of this number, counted from 0, of so many."""
        if self.images_every == 0:
            return False
        return (
            epoch in (0, epochs - 1)
            if self.images_every is None
            else (epoch + 1) % self.images_every == 0 or epoch == epochs - 1
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` reads it back."""
        return asdict(self) | {"histograms": list(self.histograms)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Board:
        """What a run's config.json says, the defaults where it is from before there was a choice; raises `RunError` for anything else."""
        values = config.get("tensorboard", {})
        try:
            return cls(**values)
        except (TypeError, SpecError) as error:
            raise RunError(f"config.json has no usable 'tensorboard': {error}") from error
