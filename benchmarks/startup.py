"""Wall time of whole `lenet-tf` processes that need no TensorFlow: median and range over 15 runs, after one run to warm the disk cache."""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = (["--help"], ["summary", "lenet5"], ["variants"], ["train", "--help"])


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lenet_tf", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {platform.machine()}, {RUNS} runs each; seconds")
    print(f"{'command':<28}{'median':>8}{'least':>8}{'most':>8}")
    for arguments in COMMANDS:
        seconds(arguments)
        times = [seconds(arguments) for _ in range(RUNS)]
        print(f"lenet-tf {' '.join(arguments):<19}{statistics.median(times):>8.3f}{min(times):>8.3f}{max(times):>8.3f}")
