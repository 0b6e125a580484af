"""Fields of a saved model's `compile_config`: which classes, with which fields and values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lenet_tf.specs import validators

# Values of a list, and of thresholds times classes: a metric compares each output of a batch with
# each threshold.
MAX_LIST, MAX_THRESHOLD_VALUES = 500, 10_000
MAX_STEPS_PER_EXECUTION = 1_000


@dataclass(frozen=True)
class Kind:
    """The values that a field may have.

    Args:
        expected: What they are, for an error message.
        accepts: Returns whether a value is one of them, given the number of classes.
    """

    expected: str
    accepts: Callable[[Any, int], bool]


def _number(low: float = -validators.MAX_NUMBER, high: float = validators.MAX_NUMBER) -> Kind:
    return Kind(
        f"a number from {low:g} to {high:g}",
        lambda value, _: validators.is_number(value) and low <= value <= high,
    )


def _whole(low: int, high: int = validators.MAX_INTEGER) -> Kind:
    return Kind(
        f"a whole number from {low:,} to {high:,}",
        lambda value, _: validators.is_integer(value) and low <= value <= high,
    )


def _choice(*values: Any) -> Kind:
    names = [json.dumps(value) for value in values]
    return Kind(
        names[0] if len(names) == 1 else f"one of {', '.join(names)}",
        # 1 == True, and a list is in no tuple of names.
        lambda value, _: any(type(value) is type(each) and value == each for each in values),
    )


def _optional(kind: Kind) -> Kind:
    return Kind(
        f"{kind.expected} or null",
        lambda value, classes: value is None or kind.accepts(value, classes),
    )


def _list_of(kind: Kind) -> Kind:
    return Kind(
        f"a list of up to {MAX_LIST} values, each {kind.expected}",
        lambda value, classes: (
            isinstance(value, list)
            and len(value) <= MAX_LIST
            and all(kind.accepts(each, classes) for each in value)
        ),
    )


def _either(first: Kind, second: Kind) -> Kind:
    return Kind(
        f"{first.expected}, or {second.expected}",
        lambda value, classes: first.accepts(value, classes) or second.accepts(value, classes),
    )


def _is_name(value: Any, _: int = 0) -> bool:
    # A name becomes part of variables' names, tags and columns.
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z0-9][\w .-]{0,99}", value))


FLAG = _choice(True, False)
NAME = Kind("a name of up to 100 letters and digits", _is_name)
FRACTION, POSITIVE, ANY_NUMBER = _number(0, 1), _number(0), _number()
_BELOW_ONE = Kind(
    "a number from 0 up to, not including, 1",
    lambda value, _: validators.is_number(value) and 0 <= value < 1,
)
_THRESHOLDS = _either(FRACTION, _list_of(FRACTION))
_CLASS = Kind(
    "the number of a class",
    lambda value, classes: validators.is_integer(value) and 0 <= value < classes,
)
_CLASSES = Kind("the number of classes", lambda value, classes: value == classes)

# Field → its values, in every class that has it.
FIELDS: dict[str, Kind] = {
    "name": NAME,
    "dtype": _choice("float32", None),
    # Losses and metrics. Another reduction would change what a loss of a batch means.
    "reduction": _choice("sum_over_batch_size", "mean", "mean_with_sample_weight"),
    "from_logits": FLAG,
    "label_smoothing": _BELOW_ONE,
    "axis": _choice(-1),
    "alpha": FRACTION,
    "gamma": _number(0, 100),
    "apply_class_balancing": FLAG,
    "delta": _number(1e-6),
    "threshold": _optional(FRACTION),
    "thresholds": _optional(_THRESHOLDS),
    # Attack: a metric that allocates this many values.
    "num_thresholds": _whole(2, MAX_LIST),
    "curve": _choice("ROC", "PR"),
    "summation_method": _choice("interpolation", "minoring", "majoring"),
    "multi_label": FLAG,
    "num_labels": _optional(_CLASSES),
    "label_weights": _choice(None),
    "average": _choice(None, "micro", "macro", "weighted"),
    "beta": _number(0, 1e6),
    "k": _whole(1),
    "top_k": _optional(_whole(1)),
    "class_id": _optional(_CLASS),
    "class_aggregation": _choice("uniform_average", "variance_weighted_average"),
    "num_regressors": _choice(0),
    **dict.fromkeys(("recall", "precision", "sensitivity", "specificity"), FRACTION),
    # Optimizers.
    **dict.fromkeys(("momentum", "rho", "ema_momentum"), FRACTION),
    **dict.fromkeys(("beta_1", "beta_2", "adam_beta_1", "adam_beta_2"), _BELOW_ONE),
    **dict.fromkeys(("epsilon", "epsilon_1", "epsilon_2"), POSITIVE),
    "beta_2_decay": _number(-10, 0),
    "clip_threshold": POSITIVE,
    "initial_accumulator_value": POSITIVE,
    "learning_rate_power": _number(-10, 0),
    **dict.fromkeys(
        (
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ),
        POSITIVE,
    ),
    **dict.fromkeys(
        ("amsgrad", "nesterov", "centered", "use_ema", "relative_step", "exclude_embeddings"), FLAG
    ),
    **dict.fromkeys(
        ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue"), _optional(POSITIVE)
    ),
    "ema_overwrite_frequency": _optional(_whole(1)),
    "loss_scale_factor": _optional(_number(1e-9)),
    "gradient_accumulation_steps": _optional(_whole(2)),
    # Attack: a regular expression that takes forever to match.
    "exclude_layers": _optional(
        _list_of(
            Kind(
                "a name, not a pattern",
                lambda value, _: isinstance(value, str) and bool(re.fullmatch(r"[\w/ -]*", value)),
            )
        )
    ),
    **dict.fromkeys(("muon_a", "muon_b", "muon_c"), ANY_NUMBER),
    **dict.fromkeys(("adam_lr_ratio", "rms_rate"), POSITIVE),
    "adam_weight_decay": _optional(POSITIVE),
    # Attack: a loop that Keras unrolls.
    "ns_steps": _whole(1, 50),
    "initial_scale": _number(1e-9),
    "dynamic_growth_steps": _whole(1),
    "damping": _number(1e-45),
    "learning_rate": POSITIVE,
    # Schedules.
    **dict.fromkeys(("initial_learning_rate", "peak", "end_learning_rate"), POSITIVE),
    **dict.fromkeys(("decay_steps", "first_decay_steps"), _number(1e-3, 1e12)),
    **dict.fromkeys(("decay_rate", "power", "t_mul", "m_mul"), _number(0, 1e6)),
    **dict.fromkeys(("staircase", "cycle"), FLAG),
    **dict.fromkeys(("boundaries", "values"), _list_of(ANY_NUMBER)),
    "warmup_target": _optional(POSITIVE),
    "warmup_steps": _whole(0),
    "warm_up": FRACTION,
    "steps": _optional(_whole(1, 2**63 - 1)),
    "first": _whole(0, 2**63 - 1),
}
# What every optimizer has.
OPTIMIZER_FIELDS = (
    *("learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema"),
    *("ema_momentum", "ema_overwrite_frequency", "loss_scale_factor"),
    "gradient_accumulation_steps",
)
# Options of `compile` besides the optimizer, the loss and the metrics.
OPTIONS: dict[str, Kind] = {
    # It would scale the loss that is reported.
    "loss_weights": _choice(None),
    "run_eagerly": FLAG,
    "steps_per_execution": _whole(1, MAX_STEPS_PER_EXECUTION),
    "jit_compile": _choice(True, False, "auto", None),
}

# Classes of Keras that work on one-hot labels and one output per class.
OPTIMIZERS = (
    *("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion"),
    *("Muon", "Nadam", "RMSprop", "SGD", "ScheduleFreeAdamW"),
)
SCHEDULES = (
    *("CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"),
    *("PiecewiseConstantDecay", "PolynomialDecay"),
)
_ERRORS = (
    *("MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError"),
    *("MeanSquaredLogarithmicError", "CosineSimilarity", "KLDivergence", "Poisson", "Hinge"),
    *("SquaredHinge", "CategoricalHinge", "BinaryCrossentropy", "CategoricalCrossentropy"),
)
LOSSES = (
    *_ERRORS,
    *("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "Huber", "LogCosh"),
)
METRICS = (
    *_ERRORS,
    *("AUC", "BinaryAccuracy", "CategoricalAccuracy", "ConcordanceCorrelation", "F1Score"),
    *("FBetaScore", "FalseNegatives", "FalsePositives", "LogCoshError", "PearsonCorrelation"),
    *("Precision", "R2Score", "Recall", "RootMeanSquaredError", "TopKCategoricalAccuracy"),
    *("TrueNegatives", "TruePositives"),
    *("PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity"),
    "SpecificityAtSensitivity",
)
# Metrics that Keras cannot make from their names alone.
_NEED_ARGUMENTS = METRICS[-4:]
_ERROR_FUNCTIONS = (
    *("mean_absolute_error", "mae", "MAE", "mean_absolute_percentage_error", "mape", "MAPE"),
    *("mean_squared_error", "mse", "MSE", "mean_squared_logarithmic_error", "msle", "MSLE"),
    *("cosine_similarity", "kl_divergence", "poisson", "hinge", "squared_hinge"),
    *("categorical_hinge", "binary_crossentropy", "categorical_crossentropy"),
)
LOSS_NAMES = frozenset(
    (
        *_ERROR_FUNCTIONS,
        *("binary_focal_crossentropy", "categorical_focal_crossentropy", "huber", "log_cosh"),
        *LOSSES,
    )
)
METRIC_FUNCTIONS = frozenset(
    (
        *_ERROR_FUNCTIONS,
        *("binary_accuracy", "categorical_accuracy", "top_k_categorical_accuracy"),
    )
)
METRIC_NAMES = (METRIC_FUNCTIONS | {"accuracy", "acc"} | set(METRICS)) - set(_NEED_ARGUMENTS)
