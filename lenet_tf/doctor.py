"""What this machine has, what it lacks, and the command that mends it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from lenet_tf import device, runs
from lenet_tf.errors import LenetError

_DATA = ("mnist", "fashion_mnist")


@dataclass(frozen=True)
class Finding:
    """`remedy` is empty where all is well; `needed` says whether training is impossible without it."""

    what: str
    state: str
    remedy: str = ""
    needed: bool = False


def examine(originals: str | None) -> list[Finding]:
    """Every check, in the order a person would mend things: Python, packages, devices, data."""
    findings = [_python()]
    found = {name: version for name, version in runs.versions().items() if name != "python"}
    for name, version in found.items():
        lacking = version == "not installed"
        findings.append(Finding(name, version, "make install" if lacking else "", needed=lacking))
    if found["tensorflow"] != "not installed":
        findings.append(_processor())
    if found["tensorflow-datasets"] != "not installed":
        findings += [_data(name, originals) for name in _DATA]
    return findings


def _python() -> Finding:
    fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        "python", sys.version.split()[0], "" if fits else "use Python 3.10 to 3.13: make PYTHON=python3.12 install", needed=not fits
    )


def _processor() -> Finding:
    cpu = device.choose("cpu").label
    try:
        return Finding("device", f"{device.choose('gpu').label}; {cpu}")
    except LenetError:
        return Finding("device", f"{cpu}; no GPU: {device.why_no_gpu()}")


def _data(name: str, originals: str | None) -> Finding:
    from lenet_tf.sources import ORIGINALS_VARIABLE
    from lenet_tf.sources.tfds import find_builder, find_source

    folder = originals or os.environ.get(ORIGINALS_VARIABLE)
    try:
        builder = find_builder(name)
        source = find_source(builder, Path(folder).expanduser() if folder else None, name)
    except LenetError as error:
        reason, _, remedy = str(error).partition("\n")
        return Finding(f"data {name}", reason, remedy or "see the reason")
    kept = f", prepared in {builder.data_path}" if builder.is_prepared() else ", to be prepared at first use"
    return Finding(
        f"data {name}", {"originals": "from the originals", "cache": "in the cache", "download": "can be downloaded"}[source] + kept
    )
