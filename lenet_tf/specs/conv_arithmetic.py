"""Arithmetic of a window that slides along one axis, with the padding rules of TensorFlow."""

from __future__ import annotations

PADDINGS = ("valid", "same")


def compute_output_length(size: int, window: int, stride: int, padding: str) -> int:
    """Compute the number of windows: ⌊(W − F)/S⌋ + 1 for `valid`, ⌈W/S⌉ for `same`.

    Args:
        size: Length W of the input.
        window: Length F of the window.
        stride: Distance S between two windows.
        padding: `valid` or `same`.

    Returns:
        The length of the output.
    """
    return -(-size // stride) if padding == "same" else (size - window) // stride + 1


def compute_padding_before(size: int, window: int, stride: int, padding: str) -> int:
    """Compute the padding before the first input; an odd one more goes after the last.

    Args:
        size: Length of the input.
        window: Length of the window.
        stride: Distance between two windows.
        padding: `valid` or `same`.

    Returns:
        The number of padded positions before the input.
    """
    if padding != "same":
        return 0
    windows = compute_output_length(size, window, stride, padding)
    return max((windows - 1) * stride + window - size, 0) // 2


def count_covered_inputs(size: int, window: int, stride: int, padding: str) -> int:
    """Count the inputs in every window, summed over the windows; padding does not count.

    Args:
        size: Length of the input.
        window: Length of the window.
        stride: Distance between two windows.
        padding: `valid` or `same`.

    Returns:
        The sum over all windows.
    """
    # A closed form, since a file may ask for 10¹² windows.
    windows = compute_output_length(size, window, stride, padding)
    first = compute_padding_before(size, window, stride, padding)
    last = (windows - 1) * stride - first + window - size
    padded = sum(_sum_positive_terms(excess, stride, windows) for excess in (first, last))
    return windows * window - padded


def _sum_positive_terms(first: int, step: int, max_terms: int) -> int:
    """Sum `first`, `first - step`, … over at most `max_terms` positive terms."""
    terms = min(max_terms, -(-max(first, 0) // step))
    return terms * first - step * terms * (terms - 1) // 2
