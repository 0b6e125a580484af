"""Class probabilities from a network's outputs."""

from __future__ import annotations

import numpy as np

from lenet_tf.specs import Spec


def to_probabilities(spec: Spec, outputs: np.ndarray) -> np.ndarray:
    """Turn a network's outputs into class probabilities.

    Args:
        spec: The network.
        outputs: Its outputs, float (N, classes).

    Returns:
        The outputs of a softmax network as they are, and the softmax of any other's. For the RBF
        outputs of 1998 that is the paper's posterior (section II.C). Float (N, classes).
    """
    if getattr(spec.rows[-1], "activation", "") == "softmax":
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
