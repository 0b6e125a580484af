"""Keras models, layers, losses and optimizers, and a safe reader of saved models."""

# Importing Keras imports `lenet_tf.models.lenet` (a hook in `lenet_tf/__init__.py`). That must
# happen before a module here is halfway through its own imports.
import keras  # noqa: F401
