"""Trained networks as files, read and run without Keras."""
