#!/usr/bin/env python3
"""Runs the tests marked `cpu` under several settings of oneDNN, so that one machine stands for several: `make test-cpu`.

Usage: test_cpu.py PYTEST_ARGUMENTS. TensorFlow turns oneDNN on by itself on some processors only, and oneDNN chooses its code by the newest
instructions that the processor has. Each setting is first seen to take effect, by what oneDNN itself reports.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

# In full, since a caller's own variables must not mix in. An empty ONEDNN_MAX_CPU_ISA leaves oneDNN the processor's best.
SETTINGS = {
    "oneDNN off": {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": ""},
    "oneDNN on, at most AVX2": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "oneDNN on, the processor's best": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": ""},
}
PROBE = (
    "import tensorflow as tf; tf.nn.conv2d(tf.ones((2, 8, 8, 1)), tf.ones((3, 3, 1, 4)), 1, 'SAME')"
)


def seen(setting: dict[str, str]) -> str | None:
    """The instructions that oneDNN says it uses for a convolution in TensorFlow; None where it is not used."""
    environment = os.environ | setting | {"ONEDNN_VERBOSE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, check=True
    )
    if "exec,cpu,convolution" not in done.stdout:
        return None
    return re.search(r"^onednn_verbose.*?,isa:(.*)$", done.stdout, re.MULTILINE)[1].strip()


def main() -> int:
    results, instructions = [], {name: seen(setting) for name, setting in SETTINGS.items()}
    for name, isa in instructions.items():
        if (isa is None) != (SETTINGS[name]["TF_ENABLE_ONEDNN_OPTS"] == "0") or (
            "AVX2" in name and "512" in isa
        ):
            print(
                f"Error: {name}: the setting has no effect, oneDNN reports {isa}", file=sys.stderr
            )
            return 1
    for isa in dict.fromkeys(instructions.values()):
        # On a processor without AVX-512 two settings are one.
        names = [name for name in SETTINGS if instructions[name] == isa]
        label = f"{' = '.join(names)}{f' ({isa})' if isa else ''}"
        print(f"== {label}", flush=True)
        start = time.perf_counter()
        command = [sys.executable, *sys.argv[1:], "-m", "cpu and (determinism or not slow)", "-q"]
        code = subprocess.run(command, env=os.environ | SETTINGS[names[0]]).returncode
        results.append((label, code, time.perf_counter() - start))
    for label, code, seconds in results:
        print(f"{label}: {'passed' if code == 0 else f'FAILED ({code})'} in {seconds:.0f} s")
    return int(any(code for _, code, _ in results))


if __name__ == "__main__":
    sys.exit(main())
