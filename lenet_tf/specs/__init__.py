"""Networks as tables: rows, recipes, variants and their arithmetic. Plain Python; knows neither Keras nor files."""

from lenet_tf.specs.network import LayerFacts, Spec
from lenet_tf.specs.recipes import Optimizer, Preparation, Recipe
from lenet_tf.specs.rows import BatchNormalization, Convolution, Dense, Dropout, Flatten, Input, Pooling, Row
from lenet_tf.specs.rows1998 import EuclideanRBF, Subsampling, TableConvolution
from lenet_tf.specs.variants import VARIANTS, get_spec

__all__ = [
    "VARIANTS",
    "BatchNormalization",
    "Convolution",
    "Dense",
    "Dropout",
    "EuclideanRBF",
    "Flatten",
    "Input",
    "LayerFacts",
    "Optimizer",
    "Pooling",
    "Preparation",
    "Recipe",
    "Row",
    "Spec",
    "Subsampling",
    "TableConvolution",
    "get_spec",
]
