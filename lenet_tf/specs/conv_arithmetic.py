"""Arithmetic of a window that slides over one axis, with the padding rules of TensorFlow."""

from __future__ import annotations

PADDINGS = ("valid", "same")


def output_length(size: int, window: int, stride: int, padding: str) -> int:
    """How many windows fit: ⌊(W − F)/S⌋ + 1 for `valid`, ⌈W/S⌉ for `same`."""
    return -(-size // stride) if padding == "same" else (size - window) // stride + 1


def padding_before(size: int, window: int, stride: int, padding: str) -> int:
    """Padding in front of the first input; what is odd goes behind the last one."""
    return (
        max((output_length(size, window, stride, padding) - 1) * stride + window - size, 0) // 2
        if padding == "same"
        else 0
    )


def count_covered(size: int, window: int, stride: int, padding: str) -> int:
    """Inputs covered, summed over the windows; what lies in the padding does not count."""
    # Without a loop over the windows: a file may ask for 10¹² of them.
    windows, first = (
        output_length(size, window, stride, padding),
        padding_before(size, window, stride, padding),
    )
    last = (windows - 1) * stride - first + window - size
    return windows * window - _falling(first, stride, windows) - _falling(last, stride, windows)


def _falling(top: int, step: int, most: int) -> int:
    """Top + (top − step) + … over its positive terms, at most `most` of them."""
    terms = min(most, -(-max(top, 0) // step))
    return terms * top - step * terms * (terms - 1) // 2
