#!/usr/bin/env python3
"""Run the tests marked `cpu` under several settings of oneDNN: `make test-cpu`.

Usage: test_cpu.py [--skip-default] PYTEST_ARGUMENTS. One machine stands for several: TensorFlow
enables oneDNN on some processors only, and oneDNN uses the newest instructions of the processor.
Each setting is checked first against what oneDNN reports. `--skip-default` leaves out the setting
that TensorFlow chooses here by itself, under which `make test` runs the same tests.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time

# Every setting names both variables, so that the caller's values don't mix in. An empty
# ONEDNN_MAX_CPU_ISA lets oneDNN use the processor's best instructions.
SETTINGS = {
    "oneDNN off": {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": ""},
    "oneDNN on, at most AVX2": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "oneDNN on, the processor's best": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": ""},
}
CONVOLUTION = (
    "import tensorflow as tf; tf.nn.conv2d(tf.ones((2, 8, 8, 1)), tf.ones((3, 3, 1, 4)), 1, 'SAME')"
)


def find_instructions(setting: dict[str, str]) -> str | None:
    """Return the instructions of oneDNN's convolution, None if TensorFlow doesn't use oneDNN."""
    environment = os.environ | setting | {"ONEDNN_VERBOSE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", CONVOLUTION]
    options = {"capture_output": True, "text": True, "check": True}
    output = subprocess.run(command, env=environment, **options).stdout
    if "exec,cpu,convolution" not in output:
        return None
    return re.search(r"^onednn_verbose.*?,isa:(.*)$", output, re.MULTILINE)[1].strip()


def has_effect(name: str, instructions: str | None) -> bool:
    """Return whether oneDNN reports what the setting asks for."""
    if SETTINGS[name]["TF_ENABLE_ONEDNN_OPTS"] == "0":
        return instructions is None
    return instructions is not None and not ("AVX2" in name and "512" in instructions)


def run_tests(setting: dict[str, str], arguments: list[str]) -> int:
    """Run pytest and returns its exit code."""
    selection = ["-m", "cpu and (determinism or not slow)", "-q"]
    command = [sys.executable, *arguments, *selection]
    return subprocess.run(command, env=os.environ | setting).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-default", action="store_true")
    options, arguments = parser.parse_known_args()
    instructions = {name: find_instructions(setting) for name, setting in SETTINGS.items()}
    for name, isa in instructions.items():
        if not has_effect(name, isa):
            message = f"Error: {name}: the setting has no effect, oneDNN reports {isa}"
            print(message, file=sys.stderr)
            return 1
    tested = set(instructions.values())
    if options.skip_default:
        # As a caller who sets neither variable: an empty value counts as none.
        tested.discard(find_instructions({"TF_ENABLE_ONEDNN_OPTS": "", "ONEDNN_MAX_CPU_ISA": ""}))
    results = []
    for isa in dict.fromkeys(isa for isa in instructions.values() if isa in tested):
        # Without AVX-512 the last two settings are the same.
        names = [name for name in SETTINGS if instructions[name] == isa]
        label = f"{' = '.join(names)}{f' ({isa})' if isa else ''}"
        print(f"== {label}", flush=True)
        start = time.perf_counter()
        code = run_tests(SETTINGS[names[0]], arguments)
        results.append((label, code, time.perf_counter() - start))
    for label, code, seconds in results:
        print(f"{label}: {'passed' if code == 0 else f'FAILED ({code})'} in {seconds:.0f} s")
    return int(any(code for _, code, _ in results))


if __name__ == "__main__":
    sys.exit(main())
