"""Networks as tables: rows, recipes, variants and their arithmetic in plain Python."""

from lenet_tf.specs.augmentation import AUGMENTATIONS, Augmentation, get_augmentation
from lenet_tf.specs.experiments import EXPERIMENTS
from lenet_tf.specs.initializers import Initializer
from lenet_tf.specs.layer_facts import LayerFacts
from lenet_tf.specs.lookup import get_spec
from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.recipes import Optimizer, Recipe
from lenet_tf.specs.rows import Row
from lenet_tf.specs.rows_1998 import EuclideanRBF, Subsampling, TableConvolution
from lenet_tf.specs.rows_pooling import GlobalAveragePooling, Pooling
from lenet_tf.specs.rows_standard import (
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Input,
)
from lenet_tf.specs.spec import Spec
from lenet_tf.specs.variants import RECIPES, VARIANTS, get_recipe

__all__ = [
    "AUGMENTATIONS",
    "EXPERIMENTS",
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


def __dir__() -> list[str]:
    return sorted(__all__)
