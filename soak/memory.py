"""The peak memory of this process."""

from __future__ import annotations

import resource
import sys


def measure_peak_mib() -> float:
    unit = 1 << (20 if sys.platform == "darwin" else 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
