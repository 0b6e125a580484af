"""The network that a model's saved config describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import Spec
from lenet_tf.specs.cost import check_cost
from lenet_tf.specs.scope_names import rename_rows
from lenet_tf.version import __version__

# Class and registered name of a saved LeNet.
LENET, REGISTERED_NAME = "LeNet", "lenet_tf>LeNet"


def spec_from_config(config: Mapping[str, Any]) -> Spec:
    """Return the spec in a model's config.

    Args:
        config: The result of `LeNet.get_config`.

    Returns:
        The validated spec.

    Raises:
        SpecError: If the spec isn't valid here; names both versions if another one saved it.
    """
    try:
        return Spec.from_dict(rename_rows(config["spec"]))
    except SpecError as error:
        version = config.get("version") or "before 0.2.0"
        if version == __version__:
            raise
        raise SpecError(
            f"{error}. It was saved by lenet_tf {str(version)[:30]}; this is lenet_tf {__version__}"
        ) from error


def check_spec(config: Mapping[str, Any]) -> Spec:
    """Return the spec in a stranger's config, with a bounded cost.

    Raises:
        SpecError: If the spec isn't valid, or one image would take too much memory or time.
    """
    try:
        spec = spec_from_config(config)
    except (SpecError, MemoryError):
        raise
    except Exception as error:  # Arbitrary JSON values can fail in any arithmetic of a spec.
        raise SpecError(f"{type(error).__name__}: {error}") from error
    check_cost(spec)
    return spec
