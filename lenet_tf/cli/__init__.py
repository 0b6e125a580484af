"""The `lenet-tf` command: one module per subcommand, listed in `lenet_tf.cli.group`."""

from lenet_tf.cli.group import main

__all__ = ["main"]
