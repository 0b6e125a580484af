"""A quantized network with all that its C code needs: names, preparation, places in the buffer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lenet_tf.data.preprocessing import compute_overlaps, prepare_images
from lenet_tf.inference.export.c_graph import as_shape, read_steps
from lenet_tf.inference.export.c_steps import CStep, Shape, SoftmaxStep, TableStep
from lenet_tf.inference.export.flatbuffer import LiteRTGraph
from lenet_tf.pretrained.plain_layers import PlainFlatten, PlainLayer, PlainScale
from lenet_tf.specs import Preparation
from lenet_tf.specs.preparation import MNIST_DIGIT
from lenet_tf.specs.rows import IntPair


@dataclass(frozen=True)
class Reduction:
    """Sums over neighboring pixels that reduce digits, along both axes.

    Attributes:
        starts: For each axis, the first pixel that each new one covers.
        weights: For each axis, (side, pixels), what it covers of that pixel and the next ones.
        divisor: What the weighted sums are divided by.
    """

    starts: tuple[np.ndarray, np.ndarray]
    weights: tuple[np.ndarray, np.ndarray]
    divisor: int


@dataclass(frozen=True)
class PlacedStep:
    """A step, and where its values lie in the working buffer.

    Attributes:
        name: Of its constants in C.
        step: The step.
        source: Place of its inputs.
        target: Place of its outputs.
    """

    name: str
    step: CStep
    source: int
    target: int


@dataclass(frozen=True)
class CNetwork:
    """A network as it is written in C.

    Attributes:
        title: Its name.
        image_shape: Height, width and channels of a raw image.
        input_shape: Likewise of a prepared one.
        offset: Place of the raw image's corner in the prepared one.
        reduction: How digits are reduced; None if they are not.
        pixel_values: int8 (256,), the input that each raw value becomes.
        steps: What follows.
        buffer_size: Bytes of working memory.
        labels: The classes' names.
        graph: The LiteRT network.
    """

    title: str
    image_shape: Shape
    input_shape: Shape
    offset: IntPair
    reduction: Reduction | None
    pixel_values: np.ndarray
    steps: tuple[PlacedStep, ...]
    buffer_size: int
    labels: tuple[str, ...]
    graph: LiteRTGraph

    def count_bytes(self) -> int:
        """Count the bytes of the constants."""
        return sum(placed.step.count_bytes() for placed in self.steps)


def build_network(
    title: str,
    graph: LiteRTGraph,
    layers: Sequence[PlainLayer],
    preparation: Preparation,
    image_shape: tuple[int, ...],
    labels: tuple[str, ...],
) -> CNetwork:
    """Plan the C code of a network.

    Args:
        title: Its name.
        graph: Its int8 form, which takes prepared images.
        layers: Its layers, whose names the constants get.
        preparation: Of its images.
        image_shape: Shape of a raw image, (height, width) or (height, width, channels).
        labels: The classes' names.

    Returns:
        The plan.

    Raises:
        LenetError: If it has an operator that there is no C code for.
    """
    steps = read_steps(graph)
    height, width, channels = (*image_shape, 1)[:3]
    input_shape = as_shape(graph.tensors[graph.input].shape)
    placed, size = _place(steps, _name_steps(steps, layers), input_shape)
    return CNetwork(
        # It goes into comments.
        title=re.sub(r"[^\w .,()+-]", "?", title, flags=re.ASCII),
        image_shape=(height, width, channels),
        input_shape=input_shape,
        offset=((input_shape[0] - height) // 2, (input_shape[1] - width) // 2),
        reduction=_find_reduction(preparation, height, width),
        pixel_values=_quantize_pixels(graph, preparation),
        steps=placed,
        buffer_size=size,
        labels=labels,
        graph=graph,
    )


def quantize_images(graph: LiteRTGraph, prepared: np.ndarray) -> np.ndarray:
    """Turn prepared images into a network's int8 input, as LiteRT's QUANTIZE does."""
    facts = graph.tensors[graph.input]
    steps = np.rint(prepared.astype(np.float32) / np.float32(facts.scale))
    return np.clip(steps + facts.zero_point, -128, 127).astype(np.int8)


def _quantize_pixels(graph: LiteRTGraph, preparation: Preparation) -> np.ndarray:
    pixels = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1)
    normalization = Preparation(normalization=preparation.normalization)
    return quantize_images(graph, prepare_images(pixels, normalization)).reshape(256)


def _find_reduction(preparation: Preparation, height: int, width: int) -> Reduction | None:
    if preparation.digit_size is None:
        return None
    overlaps = [compute_overlaps(side, preparation.digit_size) for side in (height, width)]
    # Overlaps are multiples of a half.
    factor = 1 if all(np.all(each == np.rint(each)) for each in overlaps) else 2
    starts, weights = zip(*(_compress(np.rint(each * factor)) for each in overlaps), strict=True)
    return Reduction(starts, weights, (factor * MNIST_DIGIT) ** 2)


def _compress(overlaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of the first weight that isn't zero in each row, and the weights there."""
    count = int(np.count_nonzero(overlaps, axis=1).max())
    starts = np.minimum(np.argmax(overlaps > 0, axis=1), len(overlaps) - count)
    places = starts[:, None] + np.arange(count)
    return starts, np.take_along_axis(overlaps, places, axis=1).astype(np.int64)


def _name_steps(steps: Sequence[CStep], layers: Sequence[PlainLayer]) -> list[str]:
    """Name the steps after the layers; tables and the softmax after the layer before them."""
    rows = [layer.name for layer in layers if not isinstance(layer, (PlainFlatten, PlainScale))]
    names, latest, count = [], "input", 0
    for step in steps:
        if not isinstance(step, (TableStep, SoftmaxStep)):
            latest = rows[count] if count < len(rows) else str(count)
            count += 1
        suffix = {TableStep: "_table", SoftmaxStep: "_powers"}.get(type(step), "")
        names.append(f"layer_{re.sub('[^A-Za-z0-9]', '_', latest)}{suffix}")
    is_unique = len(set(names)) == len(names) and len(rows) == count
    return names if is_unique else [f"step_{index}" for index in range(len(steps))]


def _place(
    steps: Sequence[CStep], names: Sequence[str], input_shape: Shape
) -> tuple[tuple[PlacedStep, ...], int]:
    """Place inputs and outputs at opposite ends of one buffer, as small as that allows."""
    moving = [step for step in steps if not isinstance(step, (TableStep, SoftmaxStep))]
    sizes = [int(np.prod(step.input_shape) + np.prod(step.output_shape)) for step in moving]
    size = max([int(np.prod(input_shape)), *sizes])
    placed, place = [], 0
    for name, step in zip(names, steps, strict=True):
        target = place
        if not isinstance(step, (TableStep, SoftmaxStep)):
            target = size - int(np.prod(step.output_shape)) if place == 0 else 0
        placed.append(PlacedStep(name, step, place, target))
        place = target
    return tuple(placed), size
