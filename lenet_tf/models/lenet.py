"""`LeNet`, a Keras model built and compiled from a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from lenet_tf import specs
from lenet_tf.errors import RunError, SpecError
from lenet_tf.models.as_built import (
    AsBuilt,
    describe_layer,
    find_difference,
    find_replaced_methods,
    list_methods,
)
from lenet_tf.models.compilation import build_loss, build_optimizer
from lenet_tf.models.layer_factory import build_layer, derive_seed
from lenet_tf.models.optimizer_check import find_optimizer_difference, keep_compile_config
from lenet_tf.models.own_metrics import OwnMetricsMixin
from lenet_tf.models.training_terms import set_terms, terms_to_config
from lenet_tf.pretrained.network_config import spec_from_config
from lenet_tf.runtime.keras_settings import check_keras
from lenet_tf.specs.cost import check_cost
from lenet_tf.specs.recipes import PRECISIONS
from lenet_tf.specs.rows import Shape
from lenet_tf.specs.scope_names import is_scope_name, map_row_names, to_scope_name
from lenet_tf.specs.validators import MAX_NAME, is_name, show_value, to_plain_number
from lenet_tf.version import __version__

# Keys of a config that aren't arguments of `LeNet`.
_ADDITIONS = ("version", "frozen", "terms")


@keras.saving.register_keras_serializable("lenet_tf")
class LeNet(OwnMetricsMixin, keras.Sequential):
    """A Keras model built from the rows of a spec and compiled by its recipe.

    `LeNet()` is the LeNet-5 of the tutorials: it takes float32 images (batch, 28, 28, 1) in 0…1,
    returns (batch, 10) class probabilities and has 61,706 parameters.

    Args:
        spec: A variant's name (`lenet-tf variants` lists them), a TOML file (`"my-net.toml"`) or
            a `lenet_tf.Spec`. The tutorials' own call, `LeNet((28, 28, 1), 10)`, gives the shape
            and the classes of `lenet5`.
        input_shape: (height, width, channels) of a prepared image; None for the spec's own.
        num_classes: Units of the last layer; None for the spec's own.
        seed: Seeds the initial weights, dropout and stochastic pooling; None for Keras' global
            generator.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`. The last layer always computes
            in float32.
        name: The model's name; None for the spec's name.

    Raises:
        SpecError: If the variant or the precision is unknown, a row doesn't
            accept its input, or one image would take too much memory or time.

    Example:
        >>> import lenet_tf
        >>> model = lenet_tf.LeNet("lenet5", input_shape=(32, 32, 3), num_classes=4, seed=0)
        >>> model.output_shape
        (None, 4)
        >>> [layer.name for layer in model.layers]
        ['C1', 'S2', 'C3', 'S4', 'FLATTEN', 'C5', 'F6', 'OUTPUT']
    """

    def __init__(
        self,
        spec: str | Path | specs.Spec | Shape = "lenet5",
        input_shape: Shape | int | None = None,
        num_classes: int | None = None,
        *,
        seed: int | None = None,
        precision: str = "float32",
        name: str | None = None,
    ) -> None:
        check_keras(needs_tensorflow=False)
        if precision not in PRECISIONS:
            raise SpecError(f"unknown precision {precision!r}: known are {', '.join(PRECISIONS)}")
        spec = _find_spec(spec, input_shape, num_classes)
        if spec.recipe.optimizer.name == "sdlm" and precision != "float32":
            raise SpecError(
                f"{spec.name}: the optimizer sdlm works in float32 only, not in {precision}"
            )
        if name is not None and not (is_name(name) and is_scope_name(name)):
            raise SpecError(
                f"name must be letters a-z or A-Z, digits, '_', '.' and '-', start with a letter or"
                f" digit and have at most {MAX_NAME} characters, not {show_value(name)}"
            )
        check_cost(spec)
        super().__init__(name=name or to_scope_name(spec.name))
        self.spec, self.seed, self.precision = spec, to_plain_number(seed), precision
        # Takes the steps of `fit` and `evaluate`; None for Keras' own steps.
        self.graph_loop: Any = None
        # Cache of `lenet_tf.predict_outputs`: the layers and the graph traced for them.
        self.predict_graph: Any = None
        for facts in spec.layers:
            is_last = facts.number == len(spec.rows)
            self.add(
                build_layer(
                    facts.row,
                    derive_seed(self.seed, facts.number),
                    name=facts.row.name,
                    dtype="float32" if is_last else precision,
                )
            )
        # Keras wraps the lists in attributes that are set in the usual way.
        states = tuple(describe_layer(layer) for layer in self.layers)
        object.__setattr__(self, "as_built", AsBuilt(spec, precision, states))
        self.compile(
            optimizer=build_optimizer(spec.recipe.optimizer, precision),
            loss=build_loss(spec.recipe),
            metrics=list(spec.recipe.metrics),
        )

    @classmethod
    def from_preset(cls, preset: str | Path) -> LeNet:
        """Build a trained network.

        Args:
            preset: A preset's name (`lenet-tf presets` lists them), or a folder that
                `lenet-tf export --format hub` wrote. The folder is read without trusting it.

        Returns:
            The model with its weights, compiled by its recipe.

        Raises:
            RunError: If there is no such preset or folder, or it was changed or damaged.

        Example:
            >>> import lenet_tf
            >>> model = lenet_tf.LeNet.from_preset("lenet5-modern-mnist")
            >>> model.count_params()
            61706
        """
        from lenet_tf.pretrained.locate import read_any

        network = read_any(preset)
        model = cls(network.spec, precision=network.precision)
        for name, arrays in network.weights.items():
            model.get_layer(name).set_weights(arrays)
        return model

    def train_step(self, *arguments: Any) -> Any:
        """Take a training step, or the steps of one execution if a graph loop is in use."""
        if self.graph_loop is None:
            return super().train_step(*arguments)
        return self.graph_loop.train_step(self, *arguments)

    def test_step(self, *arguments: Any) -> Any:
        """Evaluate one batch."""
        if self.graph_loop is None:
            return super().test_step(*arguments)
        return self.graph_loop.test_step(self, *arguments)

    def save(self, *arguments: Any, **options: Any) -> None:
        """Save the model as `keras.Model.save` does, or raise before the file is opened."""
        self.get_config()
        with keep_compile_config(self):
            super().save(*arguments, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, which layers are frozen and what regularizes them.

        Returns:
            Values ready for JSON.

        Raises:
            RunError: If the layers are not those of the spec, or the optimizer not the one that
                `compile` was given, which is all that a file can hold.
        """
        difference = find_difference(self) or find_optimizer_difference(self)
        if difference:
            raise RunError(
                f"{self.name} can't be saved as the network {self.spec.name}: {difference}."
                " Put the change into a Spec, or save keras.Sequential(model.layers)."
            )
        config = {
            "spec": self.spec.to_dict(),
            "seed": self.seed,
            "precision": self.precision,
            "name": self.name,
            "version": __version__,
        }
        frozen = [layer.name for layer in self.layers if not layer.trainable]
        terms = terms_to_config(self.layers)
        config |= {"frozen": frozen} if frozen else {}
        return config | ({"terms": terms} if terms else {})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LeNet:
        """Build the model that `get_config` describes, with initial weights.

        Args:
            config: The result of `get_config`.
            custom_objects: Ignored; Keras passes it.

        Returns:
            A compiled model.

        Raises:
            SpecError: If this version of lenet_tf doesn't accept the spec.
        """
        arguments = {key: config[key] for key in config if key not in _ADDITIONS}
        if isinstance(config.get("name"), str):
            arguments["name"] = to_scope_name(config["name"])
        model = cls(**arguments | {"spec": spec_from_config(config)})
        names = map_row_names(config["spec"]["rows"])
        frozen = [names.get(name, name) for name in config.get("frozen", ())]
        for layer in model.layers:
            layer.trainable = layer.name not in frozen
        set_terms(model.layers, config.get("terms", {}))
        return model


def _find_spec(
    spec: str | Path | specs.Spec | Shape, input_shape: Shape | int | None, num_classes: int | None
) -> specs.Spec:
    if not isinstance(spec, str | Path | specs.Spec):
        if not isinstance(spec, tuple | list) or not isinstance(input_shape, int | None):
            raise SpecError(f"a LeNet needs a variant's name or a Spec, not {show_value(spec)}")
        classes = input_shape if num_classes is None else num_classes
        return _find_spec("lenet5", tuple(spec), classes)
    shape = list(input_shape) if isinstance(input_shape, tuple | list) else input_shape
    if not (shape is None or (isinstance(shape, list) and len(shape) == 3)):
        raise SpecError(
            "input_shape must be height, width and channels, such as (28, 28, 1), not"
            f" {show_value(input_shape)}"
        )
    spec = spec if isinstance(spec, specs.Spec) else specs.get_spec(spec)
    return spec.adapt(shape, num_classes)


_METHODS = list_methods(LeNet)


def find_own_methods(model: LeNet) -> list[str]:
    """List the methods of a LeNet that a subclass or the object itself replaces.

    Args:
        model: The model.

    Returns:
        Their names, sorted. Methods that only describe a model, such as `get_config`, don't count.
    """
    return find_replaced_methods(model, LeNet, _METHODS)
