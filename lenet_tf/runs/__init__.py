"""The run folder: what a training run leaves on disk."""
