"""A person's own network, written as a TOML file, and networks by what a person types."""

from __future__ import annotations

import sys
from pathlib import Path

from lenet_tf import runs
from lenet_tf.errors import SpecError
from lenet_tf.specs import Spec, get_spec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 1 << 20


def load_spec(path: str | Path) -> Spec:
    """The network in a TOML file, see `examples/lenet5.toml`; its name is the file's unless the file gives one.

    Raises `SpecError` with the file, the row and the field of a mistake.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise SpecError(f"{path} is larger than {_LARGEST:,} bytes: that is no network's table")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    try:
        return Spec.from_dict({"name": path.stem} | values)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def find_spec(name: str) -> Spec:
    """A variant by its name, or a network by its file, which ends in `.toml`, or by a run folder."""
    if name.endswith(".toml"):
        return load_spec(name)
    return runs.read_spec(runs.read_config(Path(name))) if Path(name, "config.json").is_file() else get_spec(name)
