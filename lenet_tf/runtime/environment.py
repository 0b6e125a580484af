"""What this machine and this checkout are, as far as a result or its time can depend on them."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lenet_tf.version import __version__

_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "tensorboard", "numpy", "scikit-learn")

# By which of these a processor has, TensorFlow and oneDNN choose their code, and with it the order of sums.
_FEATURES = (
    "avx",
    "fma",
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_tile",
    "asimd",
    "sve",
)
_TYPE = ("system", "architecture", "processor", "features")


def describe_machine() -> dict[str, Any]:
    """System, architecture, processor with the features that matter, and how many cores."""
    said = _cpuinfo()
    flags = said.get("flags", said.get("Features", "")).split()
    numbers = [said[name] for name in ("cpu family", "model", "stepping") if name in said]
    name = said.get("model name") or platform.processor() or platform.machine()
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": f"{name} ({'/'.join(numbers)})" if numbers else name,
        "features": [feature for feature in _FEATURES if feature in flags],
        "cores": os.cpu_count() or 1,
    }


def is_same_type(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the same code with the same versions gives the same numbers, bit for bit, on both. Of a machine that does not say what its
    processor has, that cannot be known.
    """
    return bool(one.get("features")) and all(one.get(part) == other.get(part) for part in _TYPE)


def usable_cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def git_commit() -> str | None:
    """Of the checkout that this package lies in, with `+` where the package was changed; None outside of one."""
    here = Path(__file__).parent.parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        # An installed package may lie in somebody else's repository.
        if Path(git("rev-parse", "--show-toplevel")).resolve() != here.parent.resolve():
            return None
        # Records of runs change no run.
        changed = git(
            "status", "--porcelain", "--", str(here), f":(exclude){here / 'reproduce' / 'records'}"
        )
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _cpuinfo() -> dict[str, str]:
    """Of Linux' first processor."""
    try:
        lines = (
            Path("/proc/cpuinfo")
            .read_text(encoding="utf-8", errors="replace")
            .split("\n\n")[0]
            .splitlines()
        )
    except OSError:
        return {}
    return {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


def program_name(name: str) -> str:
    """How a person here calls `name`: bare where the shell finds it, else by its path beside this Python, as in `make`'s `.venv/bin`."""
    beside = Path(sys.executable).parent / name
    if shutil.which(name) or not beside.exists():
        return name
    return shlex.quote(
        os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)
    )


def package_versions() -> dict[str, str]:
    """Returns the versions of Python, lenet_tf and the packages that can change a result.

    The version of lenet_tf is that of its code, not of its installed metadata. A missing package
    is "not installed".
    """
    versions = {"python": platform.python_version(), "lenet_tf": __version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
