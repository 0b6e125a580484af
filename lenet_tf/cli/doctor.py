"""What this machine has, what it lacks, and the command that mends it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from lenet_tf.errors import LenetError
from lenet_tf.runtime import device

_DATA = ("mnist", "fashion_mnist")
_INSTALL = "make install, or pip install -c constraints.txt -e ."


@dataclass(frozen=True)
class Finding:
    """`remedy` is empty where all is well; `needed` says whether training is impossible without it."""

    what: str
    state: str
    remedy: str = ""
    needed: bool = False


def run_checks(originals: str | None) -> list[Finding]:
    """Every check, in the order a person would mend things: Python, packages, devices, data."""
    findings = [_python(), *_packages()]
    if any(finding.needed for finding in findings):
        return [
            *findings,
            Finding(
                "device, data", "not looked at while something needed is missing", "mend that first"
            ),
        ]
    return [
        *findings,
        _try("device", _processor),
        *(_try(f"data {name}", _data, name, originals) for name in _DATA),
    ]


def _try(what: str, look: Callable[..., Finding], *arguments: str | None) -> Finding:
    try:
        return look(*arguments)
    except (
        ImportError,
        AttributeError,
    ) as error:  # AttributeError: a package that loaded only in part
        return Finding(what, f"a package does not load: {error}", "make clean install", needed=True)


def _python() -> Finding:
    fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        "python",
        sys.version.split()[0],
        "" if fits else "use Python 3.10 to 3.13: make clean; make PYTHON=python3.12 install",
        not fits,
    )


def _packages() -> list[Finding]:
    try:
        declared = [Requirement(line) for line in requires("lenet_tf") or []]
    except PackageNotFoundError:
        return [Finding("lenet_tf", "not installed", _INSTALL, needed=True)]
    findings = []
    here = {
        one.name for one in declared if one.marker is None or one.marker.evaluate({"extra": ""})
    }
    for name in ("lenet_tf", *sorted(here)):
        try:
            findings.append(Finding(name, version(name)))
        except PackageNotFoundError:
            findings.append(Finding(name, "not installed", _INSTALL, needed=True))
    return findings


def _processor() -> Finding:
    gpus = device.list_gpus()
    cpu = device.choose_device("cpu").label
    return Finding(
        "device",
        "; ".join([*gpus, cpu]) if gpus else f"{cpu}; no GPU: {device.explain_missing_gpu()}",
    )


def _data(name: str, originals: str | None) -> Finding:
    from lenet_tf.data.sources import ORIGINALS_VARIABLE
    from lenet_tf.data.sources.tfds import find_source
    from lenet_tf.data.sources.tfds_builder import find_builder

    folder = originals or os.environ.get(ORIGINALS_VARIABLE)
    try:
        builder = find_builder(name)
        source = find_source(builder, Path(folder).expanduser() if folder else None, name)
    except LenetError as error:
        reason, _, remedy = str(error).partition("\n")
        return Finding(f"data {name}", reason, remedy or "fetch that file again")
    kept = (
        f", prepared in {builder.data_path}"
        if builder.is_prepared()
        else ", to be prepared at first use"
    )
    return Finding(
        f"data {name}",
        {
            "originals": "from the originals",
            "cache": "in the cache",
            "download": "can be downloaded",
        }[source]
        + kept,
    )
