"""Faster training steps inside Keras' own fit."""
