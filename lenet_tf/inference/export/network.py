"""What every export format writes: plain layers with the preparation of raw images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.numpy_forward import ACTIVATION_FUNCTIONS, compute_outputs
from lenet_tf.pretrained.plain_layers import PlainLayer, PlainRBF
from lenet_tf.specs import Preparation, Spec

# Names of the input and the output in every format.
INPUT, OUTPUT = "images", "probabilities"
# Side of the raw images of the data sets that networks are made for.
_SIDES = {"cifar10": 32, "cifar10_jpeg": 32}
_MNIST_SIDE = 28


@dataclass(frozen=True)
class ExportData:
    """Images to calibrate and to check an export.

    Attributes:
        name: Name of their data set.
        train_images: Representative training images, uint8 (N, *image_shape).
        test_images: The first test images, likewise.
        test_labels: Their labels, (N,).
    """

    name: str
    train_images: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@dataclass(frozen=True)
class ExportNetwork:
    """A trained network as every format writes it.

    Attributes:
        title: Its name, such as `lenet5-mnist`.
        trained: The network.
        layers: Its layers, from the prepared image to the outputs, all of standard kinds.
        needs_softmax: Whether a softmax turns the outputs into probabilities.
        preparation: The preparation that is part of the export. None takes prepared images.
        image_shape: Shape of one image that the export takes: (height, width) for gray raw images,
            (height, width, channels) for all others.
        labels: Name of each class; its number if it has none.
        data: Images to calibrate and to check it with.
    """

    title: str
    trained: TrainedNetwork
    layers: tuple[PlainLayer, ...]
    needs_softmax: bool
    preparation: Preparation | None
    image_shape: tuple[int, ...]
    labels: tuple[str, ...]
    data: ExportData

    @property
    def input_dtype(self) -> str:
        """`uint8` for raw images, `float32` for prepared ones."""
        return "float32" if self.preparation is None else "uint8"

    def to_inputs(self, raw_images: np.ndarray) -> np.ndarray:
        """Turn raw images into the input of the export.

        Args:
            raw_images: uint8 (N, height, width[, channels]), as in `data`.

        Returns:
            Images (N, *image_shape) of `input_dtype`.
        """
        if self.preparation is None:
            return prepare_images(raw_images, self.trained.spec.preparation)
        return raw_images

    def compute_probabilities(self, raw_images: np.ndarray) -> np.ndarray:
        """Compute what the export must answer, in NumPy, whose outputs tests compare with Keras'.

        Args:
            raw_images: uint8 (N, height, width[, channels]), as in `data`.

        Returns:
            float32 (N, classes).
        """
        prepared = prepare_images(raw_images, self.trained.spec.preparation)
        # Not `layers`: their folding is checked too.
        outputs = compute_outputs(fold(self.trained), prepared)
        return ACTIVATION_FUNCTIONS["softmax"](outputs) if self.needs_softmax else outputs


def build_export_network(
    trained: TrainedNetwork, title: str, data: ExportData, prepared: bool = False
) -> ExportNetwork:
    """Fold a trained network for an export.

    Args:
        trained: The network.
        title: Its name.
        data: Images to calibrate and to check the export with.
        prepared: Whether the export takes prepared images instead of raw ones.

    Returns:
        The network.

    Raises:
        RunError: If a weight is NaN or infinite.
    """
    spec, names = trained.spec, trained.class_names
    layers = fold(trained)
    has_names = len(names) == spec.num_classes
    return ExportNetwork(
        title=title,
        trained=trained,
        layers=tuple(
            layer.to_dense() if isinstance(layer, PlainRBF) else layer for layer in layers
        ),
        needs_softmax=getattr(spec.rows[-1], "activation", "") != "softmax",
        preparation=None if prepared else spec.preparation,
        image_shape=spec.input_shape if prepared else find_image_shape(trained),
        labels=tuple(names if has_names else map(str, range(spec.num_classes))),
        data=data,
    )


def find_image_shape(trained: TrainedNetwork) -> tuple[int, ...]:
    """Find the shape of the raw images that a network was trained on.

    Args:
        trained: The network.

    Returns:
        (height, width) for gray images, (height, width, channels) for others. Where nothing
        records it, it is that of the data set which the network is made for.
    """
    spec = trained.spec
    if trained.image_shape is not None:
        shape = trained.image_shape
    else:
        height, width, channels = spec.input_shape
        if spec.preparation.pad_to is not None:
            height = width = min(spec.preparation.pad_to, _SIDES.get(spec.data, _MNIST_SIDE))
        if spec.preparation.channels is not None and spec.data == Spec.data:
            channels = 1
        shape = height, width, channels
    return tuple(shape[:2]) if len(shape) == 2 or shape[2] == 1 else tuple(shape)
