"""The powers that LiteRT's reference softmax adds, in its fixed-point numbers."""

from __future__ import annotations

import math

import numpy as np

_ONE = 2**31 - 1
# Differences from the largest input are in 2^-26ths, results in 2^-31sts.
_FRACTION_BITS = 26
# e^(-1/4), e^(-1/2), e^-1 … e^-16, by the bit of the difference that each stands for.
_FACTORS = {
    bit: round(math.exp(-(2.0 ** (bit - _FRACTION_BITS))) * 2**31)
    for bit in range(_FRACTION_BITS - 2, _FRACTION_BITS + 5)
}
_EXP_OF_EIGHTH, _THIRD = round(math.exp(-1 / 8) * 2**31), round(2**31 / 3)


def compute_powers(scale: float) -> np.ndarray:
    """Compute exp(−`scale` · n) for n = 0, 1, 2, …, as LiteRT's reference softmax does.

    Args:
        scale: What one step of the softmax' input stands for, times beta.

    Returns:
        int32, in 2^-31sts, without the last ones, which are 0.
    """
    fraction, exponent = math.frexp(min(scale * 2**_FRACTION_BITS, float(_ONE)))
    multiplier = round(fraction * 2**31)
    if multiplier == 2**31:
        multiplier, exponent = multiplier // 2, exponent + 1
    # Smaller differences count as minus infinity.
    limit = math.floor(31 * 2**_FRACTION_BITS / 2**exponent)
    values = [
        _exponentiate(_multiply(-steps * 2**exponent, multiplier))
        for steps in range(min(limit, 255) + 1)
    ]
    powers = np.array(values, np.int32)
    return powers[: np.flatnonzero(powers)[-1] + 1]


def _multiply(a: int, b: int) -> int:
    """Return a · b · 2^-31, rounded; halves go up."""
    return (a * b + 2**30) >> 31


def _divide(value: int, bits: int) -> int:
    """Return value · 2^-bits, rounded; halves go away from 0."""
    half = 1 << (bits - 1)
    return (value + half) >> bits if value >= 0 else -((half - value) >> bits)


def _exponentiate(value: int) -> int:
    """Return exp of a number of 2^-26ths that isn't positive, in 2^-31sts."""
    if value == 0:
        return _ONE
    quarter = 1 << (_FRACTION_BITS - 2)
    rest = (value & (quarter - 1)) - quarter
    # A Taylor series around -1/8 for the part between -1/4 and 0 …
    x = (rest << 5) + (1 << 28)
    x2 = _multiply(x, x)
    x3, x4 = _multiply(x2, x), _multiply(x2, x2)
    series = x + _divide(_multiply(_divide(x4, 2) + x3, _THIRD) + x2, 1)
    result = _EXP_OF_EIGHTH + _multiply(_EXP_OF_EIGHTH, series)
    # … and a factor for each bit of the others.
    for bit, factor in _FACTORS.items():
        if (rest - value) & (1 << bit):
            result = _multiply(result, factor)
    return result
