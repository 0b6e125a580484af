"""The `lenet-tf` command: parse, call, print."""

# In the order in which --help lists them.
from lenet_tf.cli import train, commands  # isort: skip
from lenet_tf.cli.group import main

__all__ = ["commands", "main", "train"]
