"""A network by its name or file."""

from __future__ import annotations

from pathlib import Path

from lenet_tf.errors import SpecError, suggest_name
from lenet_tf.specs.experiments import EXPERIMENTS
from lenet_tf.specs.spec import Spec
from lenet_tf.specs.toml import is_file_name, load_spec
from lenet_tf.specs.variants import VARIANTS


def get_spec(name: str | Path) -> Spec:
    """Get a named network, or your own from a TOML file.

    Args:
        name: A key of `VARIANTS` or `EXPERIMENTS`, which are rows of the results table, or a path:
            anything with a separator or that ends in `.toml`.

    Returns:
        The network.

    Raises:
        SpecError: If the name is unknown; the message suggests similar names. Or the file is
            unreadable or invalid.

    Example:
        >>> import lenet_tf
        >>> lenet_tf.get_spec("lenet5").parameters
        61706
    """
    if is_file_name(name):
        return load_spec(name)
    known = VARIANTS | EXPERIMENTS
    if name not in known:
        hint = suggest_name(str(name), known, "lenet-tf variants lists them all")
        if Path(f"{name}.toml").is_file():
            hint = f"did you mean the file {name}.toml?"
        raise SpecError(f"unknown variant {name!r}: {hint}")
    return known[str(name)]
