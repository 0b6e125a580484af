"""Networks as tables: rows, recipes, variants and their arithmetic. Plain Python; knows neither Keras nor files."""

from lenet_tf.specs.initializers import Initializer
from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import (
    AUGMENTATIONS,
    Augmentation,
    Optimizer,
    Recipe,
    get_augmentation,
)
from lenet_tf.specs.rows import BatchNormalization, Convolution, Dense, Dropout, Flatten, Input, Row
from lenet_tf.specs.rows_1998 import EuclideanRBF, Subsampling, TableConvolution
from lenet_tf.specs.rows_pooling import GlobalAveragePooling, Pooling
from lenet_tf.specs.spec import LayerFacts, Spec
from lenet_tf.specs.variants import RECIPES, VARIANTS, get_recipe, get_spec

__all__ = [
    "AUGMENTATIONS",
    "RECIPES",
    "VARIANTS",
    "Augmentation",
    "BatchNormalization",
    "Convolution",
    "Dense",
    "Dropout",
    "EuclideanRBF",
    "Flatten",
    "GlobalAveragePooling",
    "Initializer",
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
    "get_augmentation",
    "get_recipe",
    "get_spec",
]
