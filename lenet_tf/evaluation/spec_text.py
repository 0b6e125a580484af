"""A network, its recipe and its distortions in words."""

from __future__ import annotations

import itertools
import textwrap
from dataclasses import asdict

from lenet_tf.specs import RECIPES, Augmentation, Optimizer, Recipe, Spec
from lenet_tf.specs.rows import format_shape


def describe_spec(spec: Spec, width: int) -> tuple[str, str]:
    """(heading, description) that stand above and below the architecture table, in lines of at most `width` characters."""
    sized = (
        f" padded to {spec.preparation.pad_to}×{spec.preparation.pad_to}"
        if spec.preparation.pad_to
        else ""
    )
    sized += (
        f", digits reduced to {format_shape((spec.preparation.digit_size,) * 2)}"
        if spec.preparation.digit_size
        else ""
    )
    recipe = spec.recipe
    tested = (
        f", of test images {spec.preparation.test_normalization}"
        if spec.preparation.test_normalization
        else ""
    )
    distorted = (
        f", distorted by {format_augmentation(recipe.augmentation)}"
        if recipe.augmentation is not None
        else ""
    )
    lines = [
        ("source", spec.source),
        ("notes", spec.notes),
        (
            "images",
            f"{spec.data}, {format_shape(spec.input_shape)}{sized}, normalization {spec.preparation.normalization}{tested}{distorted}",
        ),
        ("recipe", format_recipe(spec.recipe)),
        *((name, format_recipe(recipe)) for name, recipe in RECIPES.get(spec.name, {}).items()),
        *(("departs", departure) for departure in spec.departures),
    ]
    wrapped = (
        textwrap.fill(f"{name:7} {line}", width, subsequent_indent=" " * 8) for name, line in lines
    )
    return f"{spec.name}: {spec.parameters:,} parameters", "\n".join(wrapped)


def format_recipe(recipe: Recipe) -> str:
    """How a recipe trains, without its distortions."""
    optimizer = recipe.optimizer
    options = "".join(
        f", {name} {value:g}"
        for name, value in optimizer.get_keras_options().items()
        if not isinstance(value, bool)
    )
    cycle = f" in one cycle{options}" if optimizer.schedule else options
    smoothed = f" with label smoothing {recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    return (
        f"{optimizer.name} at {_rates(optimizer)}{cycle}, {recipe.loss}{smoothed}, {recipe.epochs} epochs, batch size"
        f" {recipe.batch_size}, validation {recipe.validation}"
    )


def format_augmentation(how: Augmentation) -> str:
    """The distortions that there are, with their bounds."""
    return ", ".join(
        f"{name} {value:g}"
        for name, value in asdict(how).items()
        if value and (name != "elastic_sigma" or how.elastic)
    )


def _rates(optimizer: Optimizer) -> str:
    """`0.001`, or the rates of the epochs in turn: `0.0005 ×2, 0.0002 ×3`."""
    if not isinstance(optimizer.learning_rate, tuple):
        return f"{optimizer.learning_rate:g}"
    return ", ".join(
        f"{rate:g} ×{len(list(epochs))}"
        for rate, epochs in itertools.groupby(optimizer.learning_rate)
    )
