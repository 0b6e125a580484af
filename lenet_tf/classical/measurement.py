"""The largest memory that this process has used."""

from __future__ import annotations

import sys

_MEBIBYTE = 1 << 20


def measure_peak_memory() -> float:
    """Measure the largest resident memory of this process since it started.

    Only a process of its own tells the memory of one task.

    Returns:
        Mebibytes.
    """
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / _MEBIBYTE
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kibibytes elsewhere.
    return peak / _MEBIBYTE if sys.platform == "darwin" else peak / 1024
