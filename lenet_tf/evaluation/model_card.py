"""Model cards: Markdown that people read, with the metadata that model hubs read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2

from lenet_tf.evaluation.data_facts import ALWAYS, DATA_FACTS, DataFacts
from lenet_tf.evaluation.scores import Score
from lenet_tf.evaluation.spec_text import format_augmentation, format_compiled, format_recipe
from lenet_tf.pretrained.network import Origin, TrainedNetwork
from lenet_tf.pretrained.presets import Preset, find_preset
from lenet_tf.specs import Spec
from lenet_tf.specs.rows import format_shape
from lenet_tf.text import escape_markdown, format_json, quote_word

_URL = "https://github.com/lenet-tf/lenet_tf"


@dataclass(frozen=True)
class ModelCard:
    """What a model card says.

    Attributes:
        name: The name of the network, as a heading.
        title: The network and its recipe in words.
        reference: What `LeNet.from_preset` takes: a name or a folder.
        spec: The network and its recipe.
        data: The name of the data set.
        class_names: Names of the classes; none if they are only numbered.
        image_shape: Shape of a raw image.
        license: The license of the weights; None if the publisher chooses it.
        test_images: The number of test images; 0 if no test is recorded.
        test_errors: How many of them it misclassifies.
        preset: The preset, if it is one.
        compiled: What it was compiled with instead of its recipe's parts.
        is_recorded: Whether its training is recorded.
    """

    name: str
    title: str
    reference: str
    spec: Spec
    data: str
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None
    license: str | None = None
    test_images: int = 0
    test_errors: int = 0
    preset: Preset | None = None
    compiled: Mapping[str, Any] = field(default_factory=dict)
    is_recorded: bool = True

    @classmethod
    def from_preset(cls, preset: Preset, spec: Spec) -> ModelCard:
        """Return the card of a preset.

        Args:
            preset: The preset.
            spec: Its network.
        """
        return cls(
            preset.name,
            preset.title,
            preset.name,
            spec,
            preset.data,
            preset.class_names,
            preset.image_shape,
            preset.license,
            preset.test_images,
            preset.test_errors,
            preset,
        )

    @classmethod
    def from_network(cls, network: TrainedNetwork, name: str) -> ModelCard:
        """Return the card of a network in a folder.

        Args:
            network: The network.
            name: Its name.
        """
        origin = network.origin or Origin()
        preset = find_preset(origin.preset)
        if preset is not None:
            return cls.from_preset(preset, network.spec)
        return cls(
            name,
            f"The network {network.spec.name} of lenet_tf",
            "path/to/this/folder",
            network.spec,
            origin.data or network.spec.data,
            network.class_names,
            network.image_shape,
            None,
            origin.test_images,
            origin.test_errors,
            None,
            origin.compiled,
            network.origin is not None,
        )

    @property
    def facts(self) -> DataFacts | None:
        """What is known of the data set; None for a user's own."""
        return DATA_FACTS.get(self.data)

    @property
    def dataset_id(self) -> str | None:
        """The data set's name on the Hugging Face hub."""
        return self.facts.hub_id if self.facts else None

    @property
    def data_title(self) -> str:
        """The data set's name as people write it."""
        return self.facts.title if self.facts else self.data

    @property
    def data_license(self) -> str | None:
        """The data set's license; None if it is unknown."""
        return self.facts.license if self.facts else None

    @property
    def ink(self) -> str:
        """What the images show, in words."""
        return self.facts.ink if self.facts else "as in the training images"

    @property
    def limits(self) -> tuple[str, ...]:
        """For which pictures the network isn't made."""
        return self.facts.limits if self.facts else (ALWAYS,)

    @property
    def test(self) -> Score | None:
        """The share of misclassified test images with its interval."""
        if not self.test_images:
            return None
        return Score.from_counts(self.test_errors, self.test_images)

    @property
    def accuracy(self) -> float:
        """The share of correctly classified test images."""
        return round(1 - self.test_errors / self.test_images, 6)

    @property
    def image_size(self) -> str:
        """The shape of a raw image, in words."""
        shape = self.image_shape or self.spec.input_shape
        return f"{format_shape(shape[:2])} pixels"

    @property
    def images_shape(self) -> str:
        """The shape of an array of raw images."""
        shape = self.image_shape or self.spec.input_shape
        shape = shape[:2] if shape[2:] in ((), (1,)) else shape
        return f"({', '.join(map(str, ('N', *shape)))})"

    @property
    def recipe(self) -> str:
        """The recipe in words."""
        recipe = format_recipe(self.spec.recipe)
        return f"{recipe}; {format_compiled(self.compiled)}" if self.compiled else recipe

    @property
    def augmentation(self) -> str:
        """The distortions of the training images in words; empty without any."""
        augmentation = self.spec.recipe.augmentation
        return format_augmentation(augmentation) if augmentation else ""

    @property
    def spread(self) -> str:
        """The test errors of all recorded seeds of a preset's row, in words."""
        if self.preset is None:
            return ""
        errors = [100 * error for error in self.preset.row_test_errors]
        return (
            f"The row's {len(errors)} recorded seeds have a test error of"
            f" {_format_spread(errors)}. A network that you train anew has about their mean, not"
            " this one's error."
        )


def _format_spread(values: list[float]) -> str:
    import statistics

    mean, deviation = statistics.mean(values), statistics.stdev(values)
    return f"{mean:.2f} ± {deviation:.2f}% ({min(values):.2f}% to {max(values):.2f}%)"


def render_card(card: ModelCard) -> str:
    """Render a model card.

    Args:
        card: What it says.

    Returns:
        Markdown with metadata in YAML before it.
    """
    return _build_environment().get_template("model_card.md.j2").render(card=card, url=_URL)


def _build_environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lenet_tf.evaluation"),
        # Not HTML: each text of a user is escaped for Markdown, YAML or a shell by a filter.
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Any] = {"text": escape_markdown, "word": quote_word, "tojson": _to_json}
    environment.filters |= filters
    return environment


def _to_json(value: Any) -> str:
    """Format a value as JSON, which YAML and Python read too."""
    return format_json(value)
