"""Allowlist of what a saved model's `config.json` may make Keras build."""

from __future__ import annotations

from typing import Any

from lenet_tf.models.compile_check import check_compile_config, check_keys, describe_object
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.training_terms import check_terms
from lenet_tf.pretrained.network_config import LENET, REGISTERED_NAME, check_spec
from lenet_tf.specs import Spec, validators
from lenet_tf.specs.recipes import PRECISIONS
from lenet_tf.specs.scope_names import map_row_names

_MODEL_KEYS = {"module", "class_name", "config", "registered_name", "build_config"}
_MODEL_KEYS |= {"compile_config", "shared_object_id"}
_LENET_KEYS = {"spec", "seed", "precision", "name", "version", "frozen", "terms"}


class NotLeNetError(ValueError):
    """The file holds a model of another class."""


def check_config(config: Any) -> tuple[dict[str, Any], Spec]:
    """Validate a model's config without building anything.

    Args:
        config: The parsed `config.json`.

    Returns:
        The part of the config that Keras needs to load the model, and the model's spec.

    Raises:
        NotLeNetError: If the config describes a model of another class.
        SpecError: If the spec isn't valid.
        ValueError: If the config names something that a LeNet isn't compiled with.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ValueError("config.json describes no model")
    class_name = config.get("class_name")
    if (class_name, config.get("registered_name")) != (LENET, REGISTERED_NAME):
        description = describe_object(config if class_name == LENET else {"class_name": class_name})
        raise NotLeNetError(
            f"holds a {description}, not a LeNet saved by lenet_tf, so how to prepare its images is"
            " unknown"
        )
    check_keys("its model", config, _MODEL_KEYS)
    arguments = config["config"]
    spec = _check_arguments(arguments)
    compile_config = _flatten_metrics(config.get("compile_config") or None, spec.rows[-1].name)
    if compile_config is not None:
        check_compile_config(compile_config, spec.num_classes)
    checked = {
        "module": LeNet.__module__,
        "class_name": class_name,
        "config": arguments,
        "registered_name": REGISTERED_NAME,
        "compile_config": compile_config,
    }
    return checked, spec


def _flatten_metrics(compile_config: Any, output: str) -> Any:
    """Turn metrics by the name of the only output, such as `{"OUTPUT": […]}`, into their list."""
    if not isinstance(compile_config, dict):
        return compile_config
    flat = dict(compile_config)
    for key in ("metrics", "weighted_metrics"):
        values = flat.get(key)
        if isinstance(values, dict) and list(values) == [output]:
            flat[key] = values[output] if isinstance(values[output], list) else [values[output]]
    return flat


def _check_arguments(arguments: dict[str, Any]) -> Spec:
    """Check the arguments of `LeNet` and return its spec."""
    # Attack: `input_shape` or `num_classes` would enlarge the network after its size was checked.
    check_keys("LeNet", arguments, _LENET_KEYS)
    check_terms(arguments.get("terms", {}))
    spec = check_spec(arguments)
    seed, precision, name, frozen = (
        arguments.get(key) for key in ("seed", "precision", "name", "frozen")
    )
    # Some rows of older files had names that TensorFlow refuses.
    names = {row.name for row in spec.rows} | map_row_names(arguments["spec"]["rows"]).keys()
    problems = {
        "seed": seed is None or (validators.is_integer(seed) and 0 <= seed < 2**128),
        "precision": precision is None or precision in PRECISIONS,
        "name": name is None or (validators.is_name(name) and "/" not in name),
        "frozen": frozen is None or (isinstance(frozen, list) and all(n in names for n in frozen)),
    }
    for field, is_valid in problems.items():
        if not is_valid:
            shown = validators.show_value(arguments[field])
            raise ValueError(f"LeNet has an invalid {field}: {shown}")
    return spec
