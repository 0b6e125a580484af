"""`python -m lenet_tf` is `lenet-tf`."""

from lenet_tf.cli import main

main()
