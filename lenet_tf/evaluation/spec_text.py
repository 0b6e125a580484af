"""A network, its recipe and its augmentation in words."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lenet_tf.specs import RECIPES, Augmentation, Optimizer, Recipe, Spec
from lenet_tf.specs.rows import format_shape


def describe_spec(
    spec: Spec, width: int, compiled: Mapping[str, Any] | None = None
) -> tuple[str, str]:
    """Write the text around a network's architecture table.

    Args:
        spec: The network.
        width: The largest number of characters in a line.
        compiled: What a run's model was compiled with instead, `RunRecord.compiled`.

    Returns:
        A heading to stand above the table and a description to stand below it.
    """
    lines = [
        ("source", spec.source),
        ("notes", spec.notes),
        ("images", _describe_images(spec)),
        ("recipe", format_recipe(spec.recipe)),
        *([("but", format_compiled(compiled))] if compiled else []),
        *((name, format_recipe(recipe)) for name, recipe in RECIPES.get(spec.name, {}).items()),
        *(("departs", departure) for departure in spec.departures),
    ]
    wrapped = (
        textwrap.fill(f"{name:7} {line}", width, subsequent_indent=" " * 8) for name, line in lines
    )
    return f"{spec.name}: {spec.parameters:,} parameters", "\n".join(wrapped)


def format_recipe(recipe: Recipe) -> str:
    """Format a recipe in one line, without its augmentation.

    Args:
        recipe: The recipe.

    Returns:
        Optimizer, loss, epochs, batch size and validation.
    """
    optimizer = recipe.optimizer
    options = "".join(
        f", {name} {value:g}"
        for name, value in optimizer.get_keras_options().items()
        if not isinstance(value, bool)
    )
    schedule = " in one cycle" if optimizer.schedule else ""
    smoothing = f" with label smoothing {recipe.label_smoothing:g}"
    return (
        f"{optimizer.name} at {_format_rates(optimizer)}{schedule}{options}, {recipe.loss}"
        f"{smoothing if recipe.label_smoothing else ''}, {recipe.epochs} epochs,"
        f" batch size {recipe.batch_size}, validation {recipe.validation}"
    )


def format_compiled(compiled: Mapping[str, Any]) -> str:
    """Format what a model is compiled with instead of its recipe's optimizer and loss.

    Args:
        compiled: `RunRecord.compiled`.

    Returns:
        One line, for example `compiled with nadam at 0.01`.
    """
    parts, optimizer = [], dict(compiled.get("optimizer", {}))
    if optimizer:
        text = f"{optimizer.pop('name')} at {optimizer.pop('learning_rate'):g}"
        parts.append(", ".join([text, *(f"{name} {optimizer[name]}" for name in optimizer)]))
    if "loss" in compiled:
        smoothing = compiled.get("label_smoothing")
        text = f" with label smoothing {smoothing:g}" if smoothing else ""
        parts.append(f"the loss {compiled['loss']}{text}")
    return f"compiled with {' and '.join(parts)}"


def format_augmentation(augmentation: Augmentation) -> str:
    """Format the distortions in use with their bounds.

    Args:
        augmentation: The augmentation.

    Returns:
        Names and bounds, for example `rotation 10, shear 0.1`.
    """
    return ", ".join(
        name if value is True else f"{name} {value:g}"
        for name, value in asdict(augmentation).items()
        if value and (name != "elastic_sigma" or augmentation.elastic)
    )


def _describe_images(spec: Spec) -> str:
    preparation, augmentation = spec.preparation, spec.recipe.augmentation
    text = f"{spec.data}, {format_shape(spec.input_shape)}"
    if preparation.pad_to:
        text += f" padded to {preparation.pad_to}×{preparation.pad_to}"
    if preparation.digit_size:
        text += f", digits reduced to {preparation.digit_size}×{preparation.digit_size}"
    text += f", normalization {preparation.normalization}"
    if preparation.test_normalization:
        text += f", of test images {preparation.test_normalization}"
    if augmentation is not None:
        text += f", distorted by {format_augmentation(augmentation)}"
    return text


def _format_rates(optimizer: Optimizer) -> str:
    """Format `0.001`, or the rates of successive epochs: `0.0005 ×2, 0.0002 ×3`."""
    if not isinstance(optimizer.learning_rate, tuple):
        return f"{optimizer.learning_rate:g}"
    return ", ".join(
        f"{rate:g} ×{len(list(epochs))}"
        for rate, epochs in itertools.groupby(optimizer.learning_rate)
    )
