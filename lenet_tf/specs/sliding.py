"""Arithmetic of a window that slides over one axis, with the padding rules of TensorFlow."""

from __future__ import annotations

PADDINGS = ("valid", "same")


def count(size: int, window: int, stride: int, padding: str) -> int:
    """How many windows fit: ⌊(W − F)/S⌋ + 1 for `valid`, ⌈W/S⌉ for `same`."""
    return -(-size // stride) if padding == "same" else (size - window) // stride + 1


def before(size: int, window: int, stride: int, padding: str) -> int:
    """Padding in front of the first input; what is odd goes behind the last one."""
    return max((count(size, window, stride, padding) - 1) * stride + window - size, 0) // 2 if padding == "same" else 0


def covered(size: int, window: int, stride: int, padding: str) -> int:
    """Inputs covered, summed over the windows; what lies in the padding does not count."""
    first = before(size, window, stride, padding)
    starts = (i * stride - first for i in range(count(size, window, stride, padding)))
    return sum(min(start + window, size) - max(start, 0) for start in starts)
