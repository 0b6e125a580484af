"""Entry point of `python -m lenet_tf`, the same as `lenet-tf`."""

from lenet_tf.cli import main

main()
