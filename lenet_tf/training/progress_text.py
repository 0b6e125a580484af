"""The texts of a progress display: a line per epoch, and a bar with the time left."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lenet_tf.runtime.rendering import create_bar, render

# Seconds after which an older step counts for a third in the rate.
_MEMORY = 10.0
_MIN_BAR = 8
_GAP = "  "


@dataclass
class ProgressClock:
    """Counts the steps of a training and estimates how long the others take.

    Args:
        epochs: Epochs of the run.
        steps: Training steps of an epoch.

    Attributes:
        epoch: The running epoch, counted from 0.
        done: Its finished steps.
    """

    epochs: int
    steps: int
    epoch: int = 0
    done: int = 0
    _mark: float = 0.0
    _recent_steps: float = 0.0
    _recent_seconds: float = 0.0
    _between_epochs: float = 0.0
    _is_warm: bool = False

    def start_epoch(self, epoch: int, now: float) -> None:
        """Note the start of an epoch.

        Args:
            epoch: Its number, counted from 0.
            now: Seconds of any clock.
        """
        if self._is_warm:
            self._between_epochs = now - self._mark
        self.epoch, self.done, self._mark = epoch, 0, now

    def finish_steps(self, done: int, now: float) -> None:
        """Note finished steps. The first of a run count for no rate: they are compiled.

        Args:
            done: Finished steps of this epoch.
            now: Seconds of the same clock.
        """
        steps, seconds = done - self.done, max(now - self._mark, 0.0)
        if self._is_warm:
            weight = math.exp(-seconds / _MEMORY)
            self._recent_steps = weight * self._recent_steps + steps
            self._recent_seconds = weight * self._recent_seconds + seconds
        self.done, self._mark, self._is_warm = done, now, True

    @property
    def is_compiling(self) -> bool:
        """Whether no step of the run is finished."""
        return not self._is_warm

    @property
    def rate(self) -> float | None:
        """Steps per second in the last seconds; None if unknown."""
        return self._recent_steps / self._recent_seconds if self._recent_seconds else None

    @property
    def seconds_left(self) -> tuple[float, float] | None:
        """Estimated seconds left of the epoch's steps and of the run; None if unknown."""
        if not self.rate:
            return None
        in_epoch = (self.steps - self.done) / self.rate
        others = self.epochs - self.epoch - 1
        in_run = in_epoch + others * self.steps / self.rate + (others + 1) * self._between_epochs
        return in_epoch, in_run


def format_epoch(epoch: int, epochs: int, logs: Mapping[str, Any], width: int | None = None) -> str:
    """Return the line of a finished epoch. The lines of a run are aligned.

    Args:
        epoch: The epoch, counted from 0.
        epochs: Epochs of the run.
        logs: Its metrics and `seconds`.
        width: Columns. A line that is too long loses parts, but never the validation's accuracy.
    """
    parts = _format_metrics(logs)
    head = f"{_format_number(epoch, epochs)}{_GAP}{_format_seconds(logs.get('seconds', 0.0))}"
    for names in (
        ("loss", "val_loss", "accuracy", "val_accuracy"),
        ("loss", "accuracy", "val_accuracy"),
        ("accuracy", "val_accuracy"),
        ("val_accuracy",),
    ):
        line = _GAP.join([head, *(parts[name] for name in names if name in parts)])
        if width is None or len(line) <= width:
            break
    return line


def _format_metrics(logs: Mapping[str, Any]) -> dict[str, str]:
    formats = {
        "loss": "loss {:.4f}",
        "val_loss": "val {:.4f}",
        "accuracy": "accuracy {:>6}",
        "val_accuracy": "val {:>6}",
    }
    values = {
        # As wide as any other.
        name: value if "loss" in name else f"{value:.2%}".replace("100.00%", "100.0%")
        for name, value in logs.items()
        if name in formats
    }
    return {name: formats[name].format(values[name]) for name in formats if name in values}


def _format_number(epoch: int, epochs: int) -> str:
    return f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}"


def _format_seconds(seconds: float) -> str:
    return f"{seconds:6.1f} s" if seconds < 1000 else f"{seconds:6.0f} s"


def format_duration(seconds: float) -> str:
    """Return a duration as minutes and seconds, or hours, minutes and seconds."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def render_bar(
    clock: ProgressClock,
    logs: Mapping[str, Any],
    width: int,
    *,
    note: str = "",
    is_last: bool = False,
    color: bool = True,
) -> str:
    """Return the bar of the running epoch in one line.

    Args:
        clock: What is finished.
        logs: The metrics of the epoch so far.
        width: Columns that the text may take.
        note: What happens instead of a step.
        is_last: Whether the run stops after this epoch, whatever its number.
        color: Whether the text goes to a terminal, and not to a page.
    """
    head = _format_number(clock.epoch, clock.epochs)
    if clock.is_compiling:
        return f"{head}{_GAP}compiling the first step..."[:width]
    for tail in _list_tails(clock, logs, note, is_last):
        room = width - len(head) - len(tail) - 2 * len(_GAP)
        if room >= _MIN_BAR:
            bar = _render_blocks(clock.done / clock.steps, min(room, 40), color)
            return f"{head}{_GAP}{bar}{_GAP}{tail}"
    return f"{head}{_GAP}{clock.done / clock.steps:4.0%}"[:width]


def _list_tails(
    clock: ProgressClock, logs: Mapping[str, Any], note: str, is_last: bool
) -> list[str]:
    """Return what may stand behind the bar, the longest first."""
    count = f"{clock.done:>{len(f'{clock.steps:,}')},}/{clock.steps:,}"
    percent = f"{clock.done / clock.steps:4.0%}"
    metrics = [text for name, text in _format_metrics(logs).items() if name in ("loss", "accuracy")]
    left, rate = clock.seconds_left, clock.rate
    if left is None or rate is None:
        return [_GAP.join(filter(None, [f"{count} steps", note])), count, percent]
    in_epoch, in_run = map(format_duration, left)
    in_run = "then stops" if is_last else f"run {in_run}"
    speed = f"{rate:5,.0f}/s" if rate >= 10 else f"{rate:5.1f}/s"
    times = f"{note or f'{in_epoch} left'}, {in_run}"
    return [
        _GAP.join([f"{count} steps", *metrics, speed, times]),
        _GAP.join([f"{count} steps", speed, times]),
        _GAP.join([f"{count} steps", times]),
        _GAP.join([count, times]),
        _GAP.join([percent, in_run]),
        percent,
    ]


def _render_blocks(share: float, width: int, color: bool) -> str:
    if not color:
        full = round(share * width)
        return "━" * full + "─" * (width - full)
    text = render(create_bar(share, width), width)
    # Without colors, rich leaves out what is not finished.
    return text if "\x1b" in text else f"{text.rstrip():{'.'}<{width}}"
