"""The settings that `sweep.py` tries: distortions, epochs, changes to `BASE` and seeds."""

from __future__ import annotations

# Translation, scaling, squeezing, shear and elastic, as in `lenet_tf.specs.Augmentation`.
DISTORTIONS = {
    "gentle": (1.0, 0.07, 0.07, 0.1, 0.0),
    "affine": (1.5, 0.1, 0.1, 0.15, 0.0),
    "medium": (1.5, 0.15, 0.15, 0.2, 0.0),
    "strong": (2.0, 0.15, 0.15, 0.25, 0.0),
    "affine+elastic": (1.5, 0.1, 0.1, 0.15, 15.0),
    "strong+elastic": (2.0, 0.15, 0.15, 0.25, 15.0),
}
# `rate` is the peak learning rate, `decay` the weight decay, `smoothing` the label smoothing.
BASE = {
    "activation": "relu",
    "rate": 0.005,
    "decay": 0.01,
    "smoothing": 0.05,
    "beta_2": 0.99,
    "cosine": False,
}
GELU, SILU = {"activation": "gelu"}, {"activation": "silu"}
_TENTH = {"decay": 0.1}
_FIRST = [
    {},
    GELU,
    SILU,
    GELU | {"rate": 0.003},
    GELU | {"rate": 0.008},
    GELU | {"decay": 0.05},
    GELU | {"smoothing": 0.0},
    GELU | {"smoothing": 0.1},
    {"decay": 0.05},
    {"rate": 0.008},
    {"smoothing": 0.0},
    GELU | {"cosine": True},
]
_LONG = [
    {},
    GELU,
    SILU,
    GELU | {"decay": 0.05},
    GELU | {"smoothing": 0.0},
    {"smoothing": 0.0, "decay": 0.05},
]
_DECAYS = [
    _TENTH,
    {"decay": 0.2},
    {"decay": 0.4},
    _TENTH | {"rate": 0.003},
    _TENTH | {"rate": 0.008},
    _TENTH | {"smoothing": 0.1},
    _TENTH | {"smoothing": 0.0},
    GELU | _TENTH,
    GELU | {"decay": 0.2},
    SILU | _TENTH,
    _TENTH | {"beta_2": 0.95},
    _TENTH | {"cosine": True},
]
_ELASTIC = [
    {"decay": 0.05},
    _TENTH,
    {"decay": 0.2},
    GELU | _TENTH,
    _TENTH | {"smoothing": 0.1},
    {"decay": 0.2, "smoothing": 0.1},
]
_LONG_ELASTIC = [{"decay": 0.05}, _TENTH, {"decay": 0.2}, _TENTH | {"smoothing": 0.1}]
# (distortions, epochs, settings, seeds)
JOBS = [
    ("affine", 40, _FIRST, 8),
    ("affine", 100, _LONG, 6),
    ("strong", 100, _LONG, 6),
    ("affine+elastic", 100, _LONG, 6),
    ("gentle", 100, _LONG, 6),
    ("medium", 60, _LONG, 6),
    ("affine", 40, _DECAYS, 8),
    ("affine+elastic", 40, _ELASTIC, 6),
    ("affine+elastic", 100, _LONG_ELASTIC, 6),
    ("strong+elastic", 60, [{"decay": 0.05}, _TENTH, GELU | _TENTH], 6),
]
