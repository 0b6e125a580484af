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
    number, first = count(size, window, stride, padding), before(size, window, stride, padding)
    # In closed form, however many windows there are: the first `inside` of them end within the axis, all from `behind` on begin there.
    inside = min(max((size - window + first) // stride + 1, 0), number)
    behind = min(-(-first // stride), number)
    ends = stride * inside * (inside - 1) // 2 + inside * (window - first) + (number - inside) * size
    starts = stride * (number * (number - 1) - behind * (behind - 1)) // 2 - (number - behind) * first
    return ends - starts
