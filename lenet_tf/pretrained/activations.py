"""Activations in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5


def _gelu(x: Array) -> Array:
    from scipy.special import erf

    return 0.5 * x * (1 + erf(x * np.float32(0.5**0.5)))


# `lenet_tf.specs.rows.ACTIVATIONS`, as Keras computes them by default.
ACTIVATION_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "scaled_tanh": lambda x: np.float32(1.7159) * np.tanh(x * np.float32(2 / 3)),
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "relu": _relu,
    "leaky_relu": lambda x: np.where(x > 0, x, np.float32(0.2) * x),
    "elu": _elu,
    "selu": lambda x: (
        np.float32(1.05070098)
        * np.where(x > 0, x, np.float32(1.67326324) * np.expm1(np.minimum(x, 0)))
    ),
    "gelu": _gelu,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
}
