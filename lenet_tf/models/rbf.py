"""The RBF output layer of LeCun et al. 1998 and its two losses."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from lenet_tf.specs.rbf_codes import DIGIT_CODES

# The constant j of eq. 9. The paper gives no value.
MAP_J = 10.0


@keras.saving.register_keras_serializable("lenet_tf")
class EuclideanRBF(keras.layers.Layer):
    """Euclidean RBF output with fixed digit codes (section II.B, eq. 7): −y_i = −Σ_j (x_j − w_ij)².

    Takes (batch, 84), returns (batch, units) of values ≤ 0. The paper predicts the class with the
    least y. The minus sign makes that the largest output, as in Keras, and the softmax of the
    outputs is the paper's posterior. The layer has no weights.

    Args:
        units: Number of classes, at most 10.
        **options: Arguments of `keras.layers.Layer`.

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> outputs = lenet_tf.layers.EuclideanRBF()(np.ones((1, 84)))
        >>> outputs.shape
        TensorShape([1, 10])
        >>> bool((outputs.numpy() <= 0).all())
        True
    """

    def __init__(self, units: int = 10, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def call(self, inputs: Any) -> Any:
        """Compute the negated penalties of flat features (batch, 84)."""
        codes = np.array(DIGIT_CODES[: self.units], "float32")
        codes = ops.convert_to_tensor(codes, dtype=self.compute_dtype)
        return -ops.sum(ops.square(ops.expand_dims(inputs, 1) - codes), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"units": self.units}


@keras.saving.register_keras_serializable("lenet_tf")
def lecun1998_mle(y_true: Any, y_pred: Any) -> Any:
    """Compute the loss of section II.C, eq. 8: the RBF penalty y_D of the correct class.

    Args:
        y_true: One-hot labels (batch, classes).
        y_pred: Outputs −y of `EuclideanRBF` (batch, classes), each ≤ 0.

    Returns:
        One loss ≥ 0 per image, (batch,).

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> outputs = np.array([[-5.0, -2.0]])
        >>> float(lenet_tf.layers.lecun1998_mle(np.array([[0.0, 1.0]]), outputs)[0])
        2.0
    """
    return -ops.sum(y_true * y_pred, axis=-1)


@keras.saving.register_keras_serializable("lenet_tf")
def lecun1998_map(y_true: Any, y_pred: Any, j: float = MAP_J) -> Any:
    """Compute the loss of section II.C, eq. 9: y_D + log(e^−j + Σ_i e^−y_i).

    Args:
        y_true: One-hot labels (batch, classes).
        y_pred: Outputs −y of `EuclideanRBF` (batch, classes), each ≤ 0.
        j: Positive constant that bounds the force on classes whose penalty is already large.

    Returns:
        One loss per image, (batch,).

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> outputs = np.array([[-5.0, -2.0]])
        >>> loss = lenet_tf.layers.lecun1998_map(np.array([[0.0, 1.0]]), outputs)
        >>> round(float(loss[0]), 3)
        0.049
    """
    log_sum = ops.logsumexp(y_pred, axis=-1)
    return -ops.sum(y_true * y_pred, axis=-1) + ops.logaddexp(ops.full_like(log_sum, -j), log_sum)
