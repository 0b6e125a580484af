"""What this machine is, as far as a result or its time can depend on it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# By which of these a processor has, TensorFlow and oneDNN choose their code, and with it the order of sums.
_FEATURES = ("avx", "fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "sve")
_TYPE = ("system", "architecture", "processor", "features")


def describe() -> dict[str, Any]:
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


def same_type(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the same code with the same versions gives the same numbers, bit for bit, on both."""
    return all(one.get(part) == other.get(part) for part in _TYPE)


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpuinfo() -> dict[str, str]:
    """Of Linux' first processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
