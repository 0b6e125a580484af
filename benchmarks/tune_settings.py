"""The settings that `tune.py` tries, by name."""

from __future__ import annotations

AFFINE = {"translation": 1.5, "scaling": 0.1, "squeezing": 0.1, "shear": 0.15}
GENTLE = {"translation": 1.0, "scaling": 0.07, "squeezing": 0.07, "shear": 0.1}
STRONG = {"translation": 2.0, "scaling": 0.15, "squeezing": 0.15, "shear": 0.25}
# `rate` is the peak learning rate, `decay` the weight decay, `smoothing` the label smoothing.
BASE = {
    "activation": "relu",
    "pool": "max",
    "epochs": 40,
    "batch_size": 64,
    "rate": 0.005,
    "decay": 0.01,
    "beta_2": 0.99,
    "warm_up": None,
    "smoothing": 0.05,
    "distortions": AFFINE,
}
# Changes to BASE, for lenet5-modern.
SETTINGS: dict[str, dict] = {
    "base": {},
    "gelu": {"activation": "gelu"},
    "gelu-strong": {"activation": "gelu", "distortions": STRONG},
    "gelu-elastic": {"activation": "gelu", "distortions": AFFINE | {"elastic": 20.0}},
    "gelu-smooth-0": {"activation": "gelu", "smoothing": 0.0},
    "gelu-smooth-10": {"activation": "gelu", "smoothing": 0.1},
    "gelu-batch-128": {"activation": "gelu", "batch_size": 128},
    "gelu-rate-8": {"activation": "gelu", "rate": 0.008},
    "gelu-rate-3": {"activation": "gelu", "rate": 0.003},
    "gelu-decay-5": {"activation": "gelu", "decay": 0.05},
    "gelu-decay-20": {"activation": "gelu", "decay": 0.2},
    "gelu-60": {"activation": "gelu", "epochs": 60},
    "strong-100": {"distortions": STRONG, "epochs": 100},
    "strong": {"distortions": STRONG},
    "gelu-strong-60": {"activation": "gelu", "distortions": STRONG, "epochs": 60},
    "silu": {"activation": "silu"},
    "gentle": {"distortions": GENTLE},
    "gentle-elastic": {"distortions": GENTLE | {"elastic": 15.0}},
    "elastic": {"distortions": AFFINE | {"elastic": 20.0}},
    "smooth-0": {"smoothing": 0.0},
    "rate-3": {"rate": 0.003},
    "rate-8": {"rate": 0.008},
    "decay-5": {"decay": 0.05},
    "decay-10": {"decay": 0.1},
    "batch-128": {"batch_size": 128},
    "average": {"pool": "average"},
}

# Changes to BASE with FLIP, for lenet5-modern-color on CIFAR-10.
FLIP = {"flip": True}
SHIFT = FLIP | {"translation": 2.0}
COLOR: dict[str, dict] = {
    "color": {"distortions": FLIP},
    "color-smooth-0": {"distortions": FLIP, "smoothing": 0.0},
    "color-gelu": {"distortions": FLIP, "activation": "gelu"},
    "color-rate-3": {"distortions": FLIP, "rate": 0.003},
    "color-shift": {"distortions": SHIFT},
    "color-decay-5": {"distortions": FLIP, "decay": 0.05},
    "color-decay-10": {"distortions": FLIP, "decay": 0.1},
    "color-decay-20": {"distortions": FLIP, "decay": 0.2},
    "color-decay-10-rate-8": {"distortions": FLIP, "decay": 0.1, "rate": 0.008},
    "color-decay-10-batch-128": {"distortions": FLIP, "decay": 0.1, "batch_size": 128},
    "color-shift-decay-5": {"distortions": SHIFT, "decay": 0.05},
    "color-shift-decay-10": {"distortions": SHIFT, "decay": 0.1},
}

# The paper's networks that miss their targets. `rates` multiplies the paper's learning rates, and
# `last` adds epochs at the last of them.
_EQ8, _LENET4 = {"variant": "lenet5-1998", "recipe": "eq8"}, {"variant": "lenet4"}
PAPER: dict[str, dict] = {
    "eq8": _EQ8,
    "eq8-damping-5": _EQ8 | {"damping": 0.05},
    "eq8-damping-10": _EQ8 | {"damping": 0.1},
    "eq8-rates-half": _EQ8 | {"rates": 0.5},
    "eq8-rates-quarter": _EQ8 | {"rates": 0.25},
    "eq8-rates-double": _EQ8 | {"rates": 2.0},
    "eq8-curvature-2000": _EQ8 | {"curvature_images": 2000},
    "eq8-longer": _EQ8 | {"last": 10},
    "eq8-half-longer": _EQ8 | {"rates": 0.5, "last": 10},
    "eq8-quarter-longer": _EQ8 | {"rates": 0.25, "last": 10},
    "lenet4": _LENET4,
    "lenet4-adam": _LENET4 | {"adam": 0.001},
    "lenet4-squared-error": _LENET4 | {"squared_error": True},
    # Keras' mean over the ten outputs has a tenth of the sum's gradients and second derivatives.
    "lenet4-squared-error-sum": _LENET4 | {"squared_error": True, "damping": 0.002},
    "lenet4-all-maps": _LENET4 | {"all_maps": True},
    "lenet4-distorted": _LENET4 | {"distorted": True},
    "lenet4-damping-10": _LENET4 | {"damping": 0.1},
    "lenet4-half-damping-10": _LENET4 | {"rates": 0.5, "damping": 0.1},
    "lenet4-half-distorted": _LENET4 | {"rates": 0.5, "distorted": True},
    "lenet4-quarter-longer": _LENET4 | {"rates": 0.25, "last": 10},
    "lenet4-half-longer": _LENET4 | {"rates": 0.5, "last": 10},
    "lenet4-rates-half": _LENET4 | {"rates": 0.5},
    "lenet4-rates-quarter": _LENET4 | {"rates": 0.25},
    "lenet4-rates-double": _LENET4 | {"rates": 2.0},
}
