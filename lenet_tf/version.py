"""The version of this package."""

__version__ = "0.3.0"

# Raised by each change of how training rounds, so that older runs are not expected to be equal.
ARITHMETIC = 2
