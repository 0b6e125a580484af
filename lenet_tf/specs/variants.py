"""All named networks and their named recipes."""

from __future__ import annotations

from dataclasses import replace

from lenet_tf.errors import SpecError
from lenet_tf.specs.augmentation import AUGMENTATIONS, Augmentation
from lenet_tf.specs.recipes import Optimizer, Recipe
from lenet_tf.specs.spec import Spec
from lenet_tf.specs.variants_1998 import HALF_RATES, LENET4, LENET5_1998, VARIANTS_1998
from lenet_tf.specs.variants_baselines import BASELINE_VARIANTS
from lenet_tf.specs.variants_tutorial import TUTORIAL_VARIANTS

# Named networks follow the data's shape and classes; a user's own rows mean what they say.
VARIANTS: dict[str, Spec] = {
    spec.name: spec.follow_data()
    for spec in (*TUTORIAL_VARIANTS, *VARIANTS_1998, *BASELINE_VARIANTS)
}

# Variant -> its named recipes, besides its own.
RECIPES: dict[str, dict[str, Recipe]] = {
    "lenet5-modern": {
        "fast": Recipe(
            Optimizer("adamw", 0.005, beta_2=0.99, weight_decay=0.01, schedule="one_cycle"),
            epochs=2,
            batch_size=64,
            validation=0.02,
            label_smoothing=0.05,
        ),
        # The simplest of the best of 67 settings on 10,000 validation images (tuning.jsonl).
        "accurate": Recipe(
            Optimizer("adamw", 0.005, beta_2=0.99, weight_decay=0.05, schedule="one_cycle"),
            epochs=40,
            batch_size=64,
            validation=0.02,
            augmentation=AUGMENTATIONS["affine"],
            label_smoothing=0.05,
        ),
    },
    "lenet5-modern-color": {
        # The best of eight settings on 10,000 validation images of CIFAR-10 (tuning.jsonl).
        "accurate": Recipe(
            Optimizer("adamw", 0.005, beta_2=0.99, weight_decay=0.1, schedule="one_cycle"),
            epochs=40,
            batch_size=64,
            validation=0.02,
            augmentation=Augmentation(flip=True),
            label_smoothing=0.05,
        ),
    },
    "lenet4": {
        "distorted": replace(LENET4.recipe, augmentation=AUGMENTATIONS["affine"]),
    },
    "lenet5-1998": {
        # Eq. 8 lacks the term that pushes the wrong classes away.
        "eq8": replace(LENET5_1998.recipe, loss="lecun1998_mle"),
        "eq8-half-rates": replace(LENET5_1998.recipe, loss="lecun1998_mle", optimizer=HALF_RATES),
        "distorted": replace(LENET5_1998.recipe, augmentation=AUGMENTATIONS["affine"]),
    },
}


def get_recipe(variant: str, name: str) -> Recipe:
    """Get a named recipe of a network.

    Args:
        variant: A key of `RECIPES`.
        name: Name of one of its recipes.

    Returns:
        The recipe.

    Raises:
        SpecError: If there is no such recipe; the message lists all recipes.

    Example:
        >>> from lenet_tf.specs import get_recipe
        >>> get_recipe("lenet5-modern", "fast").epochs
        2
    """
    recipes = RECIPES.get(variant, {})
    if name not in recipes:
        known = "; ".join(f"{owner} has {', '.join(names)}" for owner, names in RECIPES.items())
        raise SpecError(f"{variant} has no recipe {name!r} besides its own: {known}")
    return recipes[name]
