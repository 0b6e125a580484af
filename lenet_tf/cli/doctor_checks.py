"""Checks of this machine, each with the command that fixes what is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lenet_tf.errors import DeviceError, LenetError
from lenet_tf.runtime import device, environment, settings, several_devices

_DATA_SETS = ("mnist", "fashion_mnist")
_OLDEST_PYTHON, _NEWEST_PYTHON = (3, 10), (3, 13)
# Packages with a line of their own; the others share one.
_MAIN_PACKAGES = ("lenet_tf", "tensorflow", "keras", "numpy")
_SOURCES = {
    "originals": "from the originals",
    "cache": "in the cache",
    "download": "can be downloaded",
}


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    Attributes:
        subject: What was checked.
        state: What was found.
        remedy: What fixes a problem. Empty if there is none.
        is_fatal: Whether training is impossible until the problem is fixed.
    """

    subject: str
    state: str
    remedy: str = ""
    is_fatal: bool = False


def run_checks(originals: str | None) -> list[Finding]:
    """Check Python, the packages, the settings, the devices and the data sets, in this order.

    Args:
        originals: The folder of the published data files.

    Returns:
        A finding for each check. After a fatal one the device and the data sets aren't checked.
    """
    findings = [_check_python(), *_check_packages(), *_check_settings()]
    if any(finding.is_fatal for finding in findings):
        skipped = Finding("device, data", "skipped until the problems above are fixed", "fix them")
        return [*findings, skipped]
    findings.append(_guard("device", _check_device))
    findings.append(_guard("several devices", _check_several_devices))
    for name in _DATA_SETS:
        findings.append(_guard(f"data {name}", _check_data, name, originals))
    return findings


def _guard(subject: str, check: Callable[..., Finding], *args: str | None) -> Finding:
    try:
        return check(*args)
    # A package that loaded only in part lacks attributes.
    except (ImportError, AttributeError) as error:
        state = f"a package does not load: {error}"
        return Finding(subject, state, _get_fresh_install(), is_fatal=True)


def _check_python() -> Finding:
    is_supported = _OLDEST_PYTHON <= sys.version_info[:2] <= _NEWEST_PYTHON
    remedy = "use Python 3.10 to 3.13"
    if environment.is_checkout():
        remedy += ": make clean; make PYTHON=python3.12 install"
    return Finding(
        "python", sys.version.split()[0], "" if is_supported else remedy, not is_supported
    )


def _check_packages() -> list[Finding]:
    try:
        requirements = [Requirement(line) for line in requires("lenet_tf") or []]
    except PackageNotFoundError:
        return [_report_missing("lenet_tf")]
    needed = {
        requirement.name: requirement.specifier
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    versions, problems = {}, []
    for name, specifier in {"lenet_tf": SpecifierSet(), **dict(sorted(needed.items()))}.items():
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            problems.append(_report_missing(name))
            continue
        if not specifier.contains(versions[name], prereleases=True):
            state = f"{versions.pop(name)}, and lenet_tf needs {specifier}"
            problems.append(Finding(name, state, environment.install_command(), is_fatal=True))
    main = [Finding(name, versions.pop(name)) for name in _MAIN_PACKAGES if name in versions]
    others = " ".join(f"{name}=={number}" for name, number in versions.items())
    return [*main, Finding("other packages", others or "none"), *problems]


def _report_missing(package: str) -> Finding:
    return Finding(package, "not installed", environment.install_command(), is_fatal=True)


def _get_fresh_install() -> str:
    if environment.is_checkout():
        return "make clean install"
    return "install lenet_tf into a new environment"


def _check_settings() -> list[Finding]:
    overrides = settings.list_overrides()
    if not overrides:
        return [Finding("settings", "none that a command overrides")]
    return [
        Finding(
            f"setting {override.name}",
            f"{override.value}; in a command {override.consequence}",
            "" if override.is_harmless else "remove it to use lenet_tf in Python, where it applies",
        )
        for override in overrides
    ]


def _check_device() -> Finding:
    gpus = device.list_gpus()
    cpu = f"CPU, {environment.usable_cores()} cores"
    if gpus:
        return Finding("device", "; ".join([*gpus, cpu]))
    return Finding("device", f"{cpu}; no GPU: {device.explain_missing_gpu()}")


def _check_several_devices() -> Finding:
    """Say which devices train together, or why none trains."""
    try:
        several_devices.check_cluster()
    except DeviceError as error:
        reason, _, remedy = str(error).rpartition(": ")
        return Finding("setting TF_CONFIG", reason, remedy, is_fatal=True)
    subject = "several devices"
    gpus = device.list_gpus()
    if len(gpus) > 1:
        state = f"--device gpu:all trains on {len(gpus)} GPUs together"
        if len(set(gpus)) > 1:
            state += ", and each step waits for the slowest of them"
        return Finding(subject, state)
    parts = several_devices.count_logical_cpus()
    return Finding(
        subject,
        f"{'one GPU' if gpus else 'none'}; cpu:0 to cpu:{parts - 1} are parts of this processor,"
        " for trying it out (--device cpu:0,cpu:1)",
    )


def _check_data(name: str, originals: str | None) -> Finding:
    from lenet_tf.data.sources import ORIGINALS_VARIABLE
    from lenet_tf.data.sources.tfds import find_source, hide_tfds_warnings
    from lenet_tf.data.sources.tfds_builder import find_builder

    subject = f"data {name}"
    folder = originals or os.environ.get(ORIGINALS_VARIABLE)
    try:
        with hide_tfds_warnings():
            builder = find_builder(name)
            source = find_source(builder, Path(folder).expanduser() if folder else None, name)
            is_prepared = builder.is_prepared()
    except LenetError as error:
        reason, _, remedy = str(error).partition("\n")
        return Finding(subject, reason, remedy or "download that file again")
    if is_prepared:
        preparation = f"prepared in {builder.data_path}"
    else:
        preparation = "to be prepared at first use"
    return Finding(subject, f"{_SOURCES[source]}, {preparation}")
