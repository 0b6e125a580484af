"""Networks and what Keras computes for them, for the checks of the page's scripts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lenet_tf
from lenet_tf.inference.page.network_data import describe_network
from lenet_tf.inference.page.packed_arrays import pack_arrays
from lenet_tf.models.layer_factory import build_layer
from lenet_tf.models.trained_network import to_trained_network
from lenet_tf.pretrained.presets import list_names
from lenet_tf.specs import (
    VARIANTS,
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling,
    Input,
    Pooling,
    Preparation,
    Recipe,
    Spec,
    Subsampling,
    TableConvolution,
)
from lenet_tf.specs.rows import ACTIVATIONS
from lenet_tf.specs.toml import load_spec

# The check itself: JavaScript for Node and for browsers.
CHECK = (Path(__file__).parent / "page_check.js").read_text(encoding="utf-8")
MENU = Path(__file__).parent.parent / "examples" / "menu.toml"

# Odd sizes, windows and strides; every pooling; images in color.
PARTS = Spec(
    "parts",
    (
        Input(shape=(17, 15, 3)),
        Convolution("C1", filters=5, kernel=(3, 4), stride=(2, 1), padding="same"),
        BatchNormalization("N1"),
        Pooling("S2", pool="average", size=3, stride=2, padding="same"),
        TableConvolution(
            "C3",
            table=((0,), (1, 4), (0, 2, 3), (4,), (3, 1), (2, 0)),
            kernel=(2, 3),
            padding="same",
            activation="gelu",
        ),
        Pooling("S4", pool="stochastic", size=(2, 3), stride=1, padding="same"),
        Pooling("S5", pool="min", size=2, stride=1, padding="same"),
        Pooling("S6", pool="sum", size=2, stride=1, padding="same"),
        Pooling("S7", pool="max", size=2, stride=1, padding="same"),
        Subsampling("S8", size=(2, 1), activation="silu", multiplier=2),
        Convolution("C9", filters=7, kernel=1, activation="softmax"),
        Dropout("D9", rate=0.5),
        Flatten(),
        BatchNormalization("N10"),
        Dense("OUTPUT", units=3, activation="softmax"),
    ),
)
# Each activation once, and maps that are averaged.
ACTIVATED = Spec(
    "activations",
    (
        Input(shape=(28, 28, 1)),
        *(
            Convolution(f"C{number}", filters=5, kernel=3, stride=1, activation=name)
            for number, name in enumerate(ACTIVATIONS)
        ),
        GlobalAveragePooling(),
        Dense("OUTPUT", units=4, activation="sigmoid"),
    ),
    recipe=Recipe(loss="mean_squared_error"),
    preparation=Preparation(normalization="unit_twice"),
)
SPECS: dict[str, Callable[[], Spec]] = {
    **{name: lambda spec=spec: spec for name, spec in VARIANTS.items()},
    "menu": lambda: load_spec(MENU),
    "parts": lambda: PARTS,
    "activations": lambda: ACTIVATED,
}
NAMES = (*SPECS, "lenet5-color of photographs")


def build_check(
    name: str, images: int, answers: int = 1000, precision: str = "float64"
) -> dict[str, Any]:
    """Build what `checkNetwork` of page_check.js takes.

    Args:
        name: One of `NAMES`.
        images: How many images all layers are compared for.
        answers: How many images' answers are compared.
        precision: Of the outputs of Keras that are compared: `float32`, as users have them, or
            `float64`, which shows the page's own errors.

    Returns:
        Values for JSON: a network and what Keras computes.
    """
    model = build_model(name)
    raw = _choose_images(name, model)[:answers]
    preparation = model.spec.preparation.for_test_images
    double = to_double(model)
    reference = double if precision == "float64" else model
    outputs = lenet_tf.inspection.feature_maps(reference, raw[:images], preparation)
    network = describe_network(to_trained_network(model), name, name)
    return {
        "network": network | {"imageShape": list(raw.shape[1:])},
        "images": pack_arrays([raw]),
        "outputs": pack_arrays([values.reshape(len(values), -1) for values in outputs.values()]),
        "saliency": pack_arrays([lenet_tf.inspection.saliency(double, raw[:images])]),
        "answers": np.asarray(model(lenet_tf.prepare_images(raw, preparation)))
        .argmax(axis=1)
        .tolist(),
    }


@functools.cache
def load_images() -> np.ndarray:
    """Load the 1,000 test images of the sample, uint8 (1000, 28, 28, 1)."""
    return lenet_tf.load_data("sample").x_test


def build_model(name: str) -> Any:
    """Build the trained network of a preset where there is one, else one of a seed."""
    if f"{name}-mnist" in list_names():
        return lenet_tf.LeNet.from_preset(f"{name}-mnist")
    model = lenet_tf.LeNet(SPECS[name.partition(" of ")[0]](), seed=0)
    random = np.random.default_rng(0)
    # Biases and statistics of training would else be 0 and 1.
    model.set_weights(
        [
            weight + random.uniform(0, 0.1, weight.shape).astype("float32") * (weight.ndim == 1)
            for weight in model.get_weights()
        ]
    )
    return model


def to_double(model: Any) -> Any:
    """Copy a model in double precision.

    The derivative of the logarithm of a confident answer's probability is 1 − p, of which float32
    leaves no digits.
    """
    import keras

    layers = [build_layer(row, None, name=row.name, dtype="float64") for row in model.spec.rows]
    double = keras.Sequential(layers)
    double.spec = model.spec
    double.set_weights(model.get_weights())
    return double


def _choose_images(name: str, model: Any) -> np.ndarray:
    """Return the 1,000 test images of the sample, or as many random ones in color."""
    height, width, channels = model.input_shape[1:]
    if channels == 1 or (model.spec.preparation.channels and "photographs" not in name):
        return load_images()
    random = np.random.default_rng(1)
    return random.integers(0, 256, (1000, height, width, channels), dtype=np.uint8)
