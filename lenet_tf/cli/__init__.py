"""The `lenet-tf` command: parse, call, print."""

# In the order in which --help lists them.
from lenet_tf.cli import train, commands, predict, reproduce  # isort: skip
from lenet_tf.cli.group import main

__all__ = ["commands", "main", "predict", "reproduce", "train"]
