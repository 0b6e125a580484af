"""Keras models, layers, losses and optimizers, and saved models opened without trust."""
