"""The int8 network behind the C export: prepared images in, one image at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lenet_tf.errors import LenetError
from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork


def convert_core(network: ExportNetwork) -> bytes:
    """Convert a network to a LiteRT file with int8 inputs and outputs.

    Args:
        network: The network; its preparation is left to C code, which does it exactly.

    Returns:
        The file.

    Raises:
        LenetError: If the network cannot be quantized.
    """
    import tensorflow as tf

    from lenet_tf.inference.export.graph import build_module

    shape = network.trained.spec.input_shape
    core = replace(network, preparation=None, image_shape=shape)
    images = core.to_inputs(network.data.train_images).astype(np.float32)
    module = build_module(core, takes_floats=True)
    serve = tf.function(lambda images: module.serve(images)[OUTPUT], autograph=False)
    # A batch of one: microcontrollers plan their memory before they run.
    function = serve.get_concrete_function(tf.TensorSpec((1, *shape), tf.float32, name=INPUT))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        return converter.convert()
    except Exception as error:  # The converter's own types of errors have no common base.
        reason = str(error).strip().partition("\n")[0][:200]
        raise LenetError(
            f"{network.title} has an operation that integers of 8 bits can't express ({reason}):"
            " choose another format"
        ) from error
