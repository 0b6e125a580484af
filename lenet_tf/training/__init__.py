"""Training: fit, resume, checkpoints and TensorBoard."""
