"""Memory and work of a network, computed from its rows before anything is built or run.

Counts are in values, each of four bytes (float32).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from lenet_tf.errors import SpecError
from lenet_tf.specs.layer_facts import LayerFacts
from lenet_tf.specs.rows import Shape
from lenet_tf.specs.spec import Spec

BYTES_PER_VALUE = 4
# Limits for one image: 256 MiB of one layer's values, and seconds of work.
MAX_IMAGE_VALUES = 1 << 26
MAX_MULTIPLY_ADDS = 10**10
# The most values for which a convolution is computed as a matrix product of its patches.
MAX_PATCH_VALUES = 1 << 22
# Images of an evaluation batch. Every published variant takes this many, which its recorded
# results depend on in their last digits.
EVALUATION_BATCH = 1000
# Values of the prepared images in an evaluation batch, of which five wait at a time, and of one
# layer on that batch (384 MiB).
_MAX_BATCH_INPUT = 1000 * 32 * 32 * 3
_MAX_BATCH_VALUES = 96 << 20
# Copies of each weight while a network trains: the weight, its gradient, two of the optimizer.
_WEIGHT_COPIES = 4


def format_bytes(count: int) -> str:
    """Format a number of bytes, such as `1.5 GiB`."""
    size, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{count:,} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def count_image_values(layers: Sequence[LayerFacts]) -> int:
    """Count the values that the largest layer holds for one image: input, patches and output.

    Args:
        layers: `Spec.layers`.

    Example:
        >>> from lenet_tf.specs import cost, get_spec
        >>> cost.count_image_values(get_spec("lenet5").layers)
        25088
    """
    return max(_count_layer_values(layer) for layer in layers)


def _count_layer_values(layer: LayerFacts, makes_patches: bool = True) -> int:
    patches = _count_patch_values(layer) if makes_patches else 0
    return prod(layer.input_shape) + patches + prod(layer.output_shape)


def _count_patch_values(layer: LayerFacts) -> int:
    """Count what a convolution reads as a matrix product: the input below each output unit."""
    if not hasattr(layer.row, "kernel"):
        return 0
    (height, width), _ = layer.row.window()
    patches = prod(layer.output_shape[:2]) * height * width * layer.input_shape[2]
    return patches if patches <= MAX_PATCH_VALUES else 0


def count_training_values(layers: Sequence[LayerFacts], makes_patches: bool = True) -> int:
    """Count the values that a training step holds for one image.

    A step keeps what each layer computes, and then computes the gradients of all of it.

    Args:
        layers: `Spec.layers`.
        makes_patches: Whether convolutions are computed as matrix products of their patches.
    """
    return 2 * sum(_count_layer_values(layer, makes_patches) for layer in layers)


def compute_evaluation_batch(image_shape: Shape, layers: Sequence[LayerFacts] = ()) -> int:
    """Compute how many images are evaluated at a time.

    Args:
        image_shape: Shape of a prepared image.
        layers: The network's layers, or none to look at the images only.

    Returns:
        1 to 1,000 images: 1,000 for images and networks of usual sizes.
    """
    size = min(EVALUATION_BATCH, _MAX_BATCH_INPUT // prod(image_shape))
    if layers:
        size = min(size, _MAX_BATCH_VALUES // count_image_values(layers))
    return max(1, size)


def check_cost(spec: Spec) -> None:
    """Check that one image costs a bounded amount of memory and work.

    Args:
        spec: The network.

    Raises:
        SpecError: One image costs more; the message names the layer.

    Example:
        >>> from lenet_tf.specs import cost, get_spec
        >>> cost.check_cost(get_spec("lenet5"))
    """
    # Attack: a small file whose network fills the memory with one image, or works for hours.
    for layer in spec.layers:
        values = _count_layer_values(layer)
        if values > MAX_IMAGE_VALUES:
            raise SpecError(
                f"{spec.name}: {layer.row.name} needs {format_bytes(values * BYTES_PER_VALUE)} of"
                f" memory for one image, more than {format_bytes(MAX_IMAGE_VALUES * 4)}"
            )
    if spec.multiply_adds > MAX_MULTIPLY_ADDS:
        raise SpecError(
            f"{spec.name}: {spec.multiply_adds:,} multiply-adds for one image are more than"
            f" {MAX_MULTIPLY_ADDS:,}"
        )


def count_training_bytes(spec: Spec, images: int, makes_patches: bool = True) -> int:
    """Count the bytes that training needs at least, besides the data set.

    Args:
        spec: The network.
        images: Images in one training step.
        makes_patches: As in `count_training_values`.

    Returns:
        The bytes of weights, gradients, the optimizer's state and one step's activations.
    """
    weights = _WEIGHT_COPIES * spec.parameters
    values = images * count_training_values(spec.layers, makes_patches)
    return BYTES_PER_VALUE * (weights + values)


def check_training_cost(
    spec: Spec, images: int, memory: int | None, makes_patches: bool = True
) -> None:
    """Check that a training step fits into memory.

    Args:
        spec: The network.
        images: Images in one training step.
        memory: Bytes of memory that this machine has; None where it is unknown.
        makes_patches: As in `count_training_values`.

    Raises:
        SpecError: It does not fit.
    """
    needed = count_training_bytes(spec, images, makes_patches)
    if memory is None or needed <= memory:
        return
    weights = count_training_bytes(spec, 0)
    advice = "" if weights > memory else ": choose a smaller batch size"
    raise SpecError(
        f"{spec.name}: training on batches of {images:,} images needs about"
        f" {format_bytes(needed)} of memory, and this machine has {format_bytes(memory)}{advice}"
    )
