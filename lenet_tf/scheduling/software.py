"""The software that decides the results of a job, to be equal wherever its runs take place."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

from lenet_tf.runtime import environment

# Results don't depend on Python's third number.
_PACKAGES = ("lenet_tf", "tensorflow", "keras", "numpy")
_CODE = "code of lenet_tf"


@functools.cache
def describe_software() -> dict[str, str]:
    """Return the versions that can change a result, and a digest of this package's code."""
    versions = environment.package_versions()
    python = ".".join(versions["python"].split(".")[:2])
    return {"python": python} | {name: versions[name] for name in _PACKAGES} | {_CODE: _hash_code()}


def _hash_code() -> str:
    """Hash the modules: two checkouts of one version can differ."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).parts):
        digest.update("/".join(path.relative_to(package).parts).encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:12]


def find_difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Say in what another machine's software differs, and what to do.

    Args:
        here: What `describe_software` returned on this machine.
        there: The same of the other machine.

    Returns:
        A part of a sentence about the other machine; "" if they are equal.
    """
    different = [name for name in here if here[name] != there.get(name)]
    if not different:
        return ""
    if different == [_CODE]:
        return (
            f"has other code of lenet_tf {here['lenet_tf']}: bring the same commit there and start"
            " it again"
        )
    different = [name for name in different if name != _CODE]
    facts = ", ".join(f"{name} {there.get(name)} (here {here[name]})" for name in different)
    advice = "install the same versions there and start it again"
    return f"has {facts}: {advice}"
