"""Compiles exported C code with the compiler of this machine, and runs it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache

import numpy as np

from lenet_tf.errors import LenetError
from lenet_tf.inference.export.c_code import read_file
from lenet_tf.io.atomic import write_text
from lenet_tf.io.scratch import private_folder

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic")
_COMPILERS = ("cc", "gcc", "clang")
_SECONDS = 600


def find_compiler() -> list[str]:
    """Return the command of the C compiler: that of the variable CC, or cc, gcc or clang.

    Raises:
        LenetError: If there is none.
    """
    chosen = shlex.split(os.environ.get("CC", ""))
    for words in [chosen] if chosen else [[name] for name in _COMPILERS]:
        path = shutil.which(words[0])
        if path is not None:
            return [path, *words[1:]]
    missing = f"{chosen[0]}, which CC names," if chosen else "a C compiler (cc, gcc or clang)"
    raise LenetError(
        f"{missing} isn't on the PATH, and C code is only kept if it was compiled and checked:"
        " install one, such as by apt install gcc or xcode-select --install"
    )


@cache
def describe_compiler() -> str:
    """Return the first line of what the compiler says of its version."""
    result = subprocess.run(
        [*find_compiler(), "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    return result.stdout.partition("\n")[0].strip() or "unknown C compiler"


def run_code(files: Mapping[str, str], images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compile `lenet.c` and run it on raw images.

    Args:
        files: The contents of `lenet.c` and `lenet.h` by their names.
        images: uint8 (N, …).

    Returns:
        The answers, (N,), and the probabilities in 256ths, uint8 (N, classes).

    Raises:
        LenetError: If it cannot be compiled, or fails.
    """
    with private_folder() as folder:
        sources = {name: files[name] for name in ("lenet.c", "lenet.h")}
        for name, text in {**sources, "check.c": read_file("check.c")}.items():
            write_text(folder / name, text)
        command = [*find_compiler(), *FLAGS, "-o", "check", "check.c", "lenet.c"]
        _run(command, folder, "compile", b"")
        output = _run(
            [str(folder / "check")], folder, "run", np.ascontiguousarray(images).tobytes()
        )
    values = np.frombuffer(output, np.uint8).reshape(len(images), -1)
    return values[:, 0] + 256 * values[:, 1].astype(np.int64), values[:, 2:]


def _run(command: list[str], folder: os.PathLike, action: str, data: bytes) -> bytes:
    try:
        result = subprocess.run(
            command, cwd=folder, input=data, capture_output=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LenetError(f"{command[0]} failed to {action} the C code: {error}") from error
    if result.returncode:
        errors = result.stderr.decode("utf-8", "replace").splitlines()
        reason = next((line for line in errors if "error" in line), errors[0] if errors else "")
        raise LenetError(
            f"{command[0]} failed to {action} the C code, with exit code {result.returncode}:"
            f" {reason or 'it says no reason'}"
        )
    return result.stdout
