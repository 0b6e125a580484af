"""Weights out of a stranger's HDF5 file, read in a short-lived process of its own.

libhdf5 is C code that loops for ever, eats memory or crashes on some damaged files, and follows links to other files. Here it can do so
only in a child that has little time and memory and opens no file. The child sees this module as a script, not the package.

The child is no sandbox against a file made to take over libhdf5 itself: it runs as the same user.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Read as Keras writes them: groups in groups, in them arrays of plain numbers as one piece.
MAX_OBJECTS = 20_000
MAX_DEPTH = 16
HEADER_LIMIT = 4 << 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_NUMBERS = "bfiu"

# Of the child: memory beside four times the file's size, processor time once it has started, wall time in all.
MEMORY = 512 << 20
PROCESSOR_SECONDS = 3
WALL_SECONDS = 60


def read_arrays(content: bytes) -> dict[str, Any]:
    """The arrays of an HDF5 file by their path, such as `layers/dense/vars/0`: NumPy arrays that cannot be written to.

    Raises `ValueError` with the reason where the file is damaged, or holds anything but plain arrays in groups, and `OSError` where no
    process can be started.
    """
    import numpy as np

    answer = _ask_child(content)
    length = int.from_bytes(answer[:8], "little")
    header, data, start = json.loads(answer[8 : 8 + length]), memoryview(answer)[8 + length :], 0
    if "error" in header:
        raise ValueError(str(header["error"])[:200])
    arrays = {}
    for path, dtype, shape in header["arrays"]:
        kind, count = np.dtype(dtype), math.prod(shape)
        if kind.kind not in _NUMBERS or not all(_NAME.fullmatch(name) for name in path.split("/")):
            raise ValueError(f"the array {path[:80]!r} is none that Keras writes")
        arrays[path] = (
            np.frombuffer(data, kind, count, start).reshape(shape)
            if count
            else np.zeros(shape, kind)
        )
        start += count * kind.itemsize
    return arrays


def _ask_child(content: bytes) -> bytes:
    homes = {
        str(Path(importlib.util.find_spec(name).origin).parent.parent): None
        for name in ("numpy", "h5py")
    }
    # No plug-ins of libhdf5, and no threads, whose stacks count as memory.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    }
    environment |= {
        "HDF5_PLUGIN_PRELOAD": "::",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-I", "-S", __file__, *homes]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as child:
        timer = threading.Timer(WALL_SECONDS, child.kill)
        timer.start()
        try:
            with contextlib.suppress(
                BrokenPipeError
            ):  # it ended before it had read everything: its exit code tells
                child.stdin.write(content)
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
            answer = child.stdout.read(8 + HEADER_LIMIT + len(content))
        finally:
            timer.cancel()
            # It has said what it has to say, or does not stop.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5 if sys.exc_info()[0] is None else 0)
            child.kill()
    if child.returncode:
        raise ValueError("the HDF5 library fails on it, it takes too long or too much memory")
    return answer


def _child() -> None:
    sys.path += sys.argv[1:]
    import h5py

    content = sys.stdin.buffer.read()
    _confine(len(content))
    arrays: list[Any] = []
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            arrays = list(_arrays(h5py, file, len(content)))
        header = json.dumps(
            {"arrays": [(path, array.dtype.str, array.shape) for path, array in arrays]}
        ).encode()
        if len(header) > HEADER_LIMIT:
            raise ValueError("it has too many arrays")
    except Exception as error:  # h5py raises whatever suits it
        arrays, header = (
            [],
            json.dumps(
                {"error": " ".join(str(error).split())[:200] or type(error).__name__}
            ).encode(),
        )
    sys.stdout.buffer.write(len(header).to_bytes(8, "little") + header)
    for _, array in arrays:
        sys.stdout.buffer.write(array.tobytes())
    sys.stdout.buffer.flush()
    # libhdf5's own ending may hang or crash on what it has read.
    os._exit(0)


def _confine(size: int) -> None:
    """Limits this process, where the platform can: time, memory, and no file that it could open, write or dump."""
    try:
        import resource
    except ImportError:  # Windows: the wall time remains
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + PROCESSOR_SECONDS + size // (100 << 20)
    wanted = {
        "RLIMIT_CPU": seconds,
        "RLIMIT_AS": MEMORY + 4 * size,
        "RLIMIT_NOFILE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
    }
    for name, limit in wanted.items():
        # macOS refuses RLIMIT_AS below what is mapped already.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (limit, limit))


def _arrays(h5py: Any, file: Any, size: int) -> Iterator[tuple[str, Any]]:
    """Every array of the file with its path; raises `ValueError` for anything that Keras does not write."""
    waiting, seen, held = [("", 0, file)], 0, 0
    while waiting:
        path, depth, group = waiting.pop()
        for name in group:
            seen += 1
            if seen > MAX_OBJECTS or depth >= MAX_DEPTH:
                raise ValueError("it has too many groups and arrays")
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:80]!r} is no name that Keras writes")
            if group.get(name, getclass=True, getlink=True) is not h5py.HardLink:
                raise ValueError(f"{path}{name} is a link to somewhere else")
            member = group[name]
            if isinstance(member, h5py.Group):
                waiting.append((f"{path}{name}/", depth + 1, member))
                continue
            held += _checked_size(h5py, member, f"{path}{name}")
            # Arrays that share their bytes could be many times the file.
            if held > size:
                raise ValueError("its arrays are larger than the file")
            array = member[()]
            yield f"{path}{name}", array.astype(array.dtype.newbyteorder("<"), copy=False)


def _checked_size(h5py: Any, dataset: Any, path: str) -> int:
    """The bytes of an array, which must all be in this file, in one piece."""
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{path} is neither a group nor an array")
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{path} lies in another file")
    if dataset.chunks is not None or dataset.shape is None or dataset.ndim > 8:
        raise ValueError(f"{path} is stored in a way that Keras does not use")
    if dataset.dtype.kind not in _NUMBERS or dataset.dtype.itemsize > 8:
        raise ValueError(f"{path} holds {str(dataset.dtype)[:40]}, not plain numbers")
    declared = math.prod(dataset.shape) * dataset.dtype.itemsize
    if declared != dataset.id.get_storage_size():
        raise ValueError(f"{path} is declared larger than it is")
    return declared


if __name__ == "__main__":
    _child()
