"""Facts about this machine and checkout on which a result or its running time can depend."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lenet_tf.text import quote_word
from lenet_tf.version import ARITHMETIC, __version__

_REPOSITORY = "git+https://github.com/lenet-tf/lenet_tf"
# Of a program that pip installs.
_SUFFIX = ".exe" if os.name == "nt" else ""
_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "tensorboard", "numpy", "scikit-learn")

# Instruction sets by which TensorFlow and oneDNN choose code, and with it the order of sums.
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
_TYPE_KEYS = ("system", "architecture", "processor", "features")


def describe_machine() -> dict[str, Any]:
    """Describe this machine.

    Returns:
        System, architecture, processor, its relevant features, and the number of cores.
    """
    cpu = _read_cpuinfo()
    flags = cpu.get("flags", cpu.get("Features", "")).split()
    numbers = [cpu[name] for name in ("cpu family", "model", "stepping") if name in cpu]
    name = cpu.get("model name") or platform.processor() or platform.machine()
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": f"{name} ({'/'.join(numbers)})" if numbers else name,
        "features": [feature for feature in _FEATURES if feature in flags],
        "cores": os.cpu_count() or 1,
    }


def is_same_type(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether both machines are known to produce the same results, bit for bit.

    Args:
        one: What `describe_machine` returned on a machine.
        other: The same of another machine.

    Returns:
        False if the machines differ or their processors' features are unknown.
    """
    return bool(one.get("features")) and all(one.get(key) == other.get(key) for key in _TYPE_KEYS)


def usable_cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def git_commit() -> str | None:
    """Return the commit of the checkout that contains this package.

    Returns:
        Twelve hexadecimal digits, followed by `+` if the package has uncommitted changes; None
        outside a checkout.
    """
    package = Path(__file__).parent.parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        output = subprocess.run(command, capture_output=True, check=True, timeout=10).stdout
        # Git writes paths in UTF-8 on Windows too, whatever the console's encoding is.
        return os.fsdecode(output).strip()

    try:
        # An installed package may lie in a repository of something else.
        if Path(git("rev-parse", "--show-toplevel")).resolve() != package.parent.resolve():
            return None
        # Records of runs do not change results.
        records = package / "reproduce" / "records"
        changed = git("status", "--porcelain", "--", str(package), f":(exclude){records}")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _read_cpuinfo() -> dict[str, str]:
    """Return Linux' description of the first processor, or nothing on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = text.split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def program_name(name: str) -> str:
    """Return the command by which the user can call a program.

    Args:
        name: Name of the program.

    Returns:
        The name if the shell finds it, otherwise its path in one of the folders where pip puts
        programs, as in `.venv/bin`, quoted for the shell.
    """
    found = shutil.which(name)
    # uv puts its environment's programs on the PATH of this process alone.
    if found and not ("UV" in os.environ and Path(found).is_relative_to(sys.prefix)):
        return name
    user_scheme = sysconfig.get_preferred_scheme("user")
    folders = (
        os.path.dirname(sys.executable),
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", user_scheme),  # pip's choice if the others are not writable
    )
    for folder in folders:
        program = Path(folder, name + _SUFFIX)
        if program.exists():
            is_near = program.is_relative_to(Path.cwd())
            return quote_word(os.path.relpath(program) if is_near else program)
    return name


def install_command(extra: str = "") -> str:
    """Return the command that installs lenet_tf and its dependencies again.

    Args:
        extra: An extra, such as `gpu`.

    Returns:
        A target of make in a checkout, pip elsewhere.
    """
    if is_checkout():
        return f"make install EXTRAS=dev,{extra}" if extra else "make install"
    name = f"lenet_tf[{extra}]" if extra else "lenet_tf"
    return f'{quote_word(sys.executable)} -m pip install --upgrade "{name} @ {_REPOSITORY}"'


def is_checkout() -> bool:
    """Return whether this package runs from a checkout, where make installs it."""
    return (Path(__file__).parents[2] / "Makefile").exists()


def package_versions() -> dict[str, str]:
    """Return the versions of Python, lenet_tf and the packages that can change a result.

    The version of lenet_tf is that of its code, not of its installed metadata. A missing package
    is "not installed".
    """
    versions = {
        "python": platform.python_version(),
        "lenet_tf": __version__,
        "lenet_tf arithmetic": str(ARITHMETIC),
    }
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
