"""A reader for the weights in an untrusted HDF5 file, which works in a process of its own.

The attacker is someone who sends a `.keras` file. The HDF5 library is C code that loops forever,
exhausts memory or crashes on some damaged files, and follows links to other files. Here it runs
in a child process with little time and memory that cannot open files. The child is no sandbox
against code execution in the library: it runs as the same user.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_OBJECTS = 20_000
MAX_DEPTH = 16
MAX_HEADER_BYTES = 4 << 20
# The names and numeric kinds that Keras writes.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_NUMERIC_KINDS = "bfiu"

# Limits of the child: memory besides four times the file's size, processor time after its
# start, and wall time.
MEMORY_BYTES = 512 << 20
PROCESSOR_SECONDS = 3
WALL_SECONDS = 60
# Exit code of a child that failed for another reason than the file.
_FAILED_ITSELF = 70
# What ends a process from outside. The child's own limits send SIGXCPU or fail an allocation.
_KILLS = tuple(
    -getattr(signal, name)
    for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")
    if hasattr(signal, name)
)


class ReaderKilledError(OSError):
    """The process that reads the file ended, and not because of the file."""


def read_arrays(content: bytes) -> dict[str, Any]:
    """Read the arrays of an HDF5 file.

    Args:
        content: The file's content.

    Returns:
        Read-only NumPy arrays by path, such as `layers/dense/vars/0`.

    Raises:
        ValueError: If the file is damaged or holds anything but groups and plain arrays.
        OSError: If the child process cannot start, or was killed.
    """
    import numpy as np

    reply = _run_child(content)
    length = int.from_bytes(reply[:8], "little")
    header, data, start = json.loads(reply[8 : 8 + length]), memoryview(reply)[8 + length :], 0
    if "error" in header:
        raise ValueError(str(header["error"])[:200])
    arrays = {}
    for path, dtype, shape in header["arrays"]:
        kind, count = np.dtype(dtype), math.prod(shape)
        if count:
            arrays[path] = np.frombuffer(data, kind, count, start).reshape(shape)
        else:
            arrays[path] = np.zeros(shape, kind)
        start += count * kind.itemsize
    return arrays


def _run_child(content: bytes) -> bytes:
    """Send a file to the child process and return its reply."""
    # The child starts without site-packages, and imports these two packages only.
    folders = dict.fromkeys(_find_package_folder(name) for name in ("numpy", "h5py"))
    command = [sys.executable or "", "-I", "-S", __file__, *folders]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_build_environment(),
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        # Attack: a file on which the library loops forever without using processor time.
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            child.kill()

        timer = threading.Timer(WALL_SECONDS, stop)
        timer.start()
        try:
            # If the child ends before it has read everything, its exit code says so.
            with contextlib.suppress(OSError):
                child.stdin.write(content)
            with contextlib.suppress(OSError):
                child.stdin.close()
            reply = child.stdout.read(8 + MAX_HEADER_BYTES + len(content))
        finally:
            timer.cancel()
            # The reply is complete, or the child does not stop by itself.
            try:
                child.wait(5 if sys.exc_info()[0] is None else 0)
            except subprocess.TimeoutExpired:
                stop()
    if child.returncode in (*_KILLS, _FAILED_ITSELF) and not is_late.is_set():
        raise ReaderKilledError(
            "the process that reads it was killed or ran out of memory. The file may be fine: free"
            " some memory and try again"
        )
    if child.returncode:
        raise ValueError("the HDF5 library fails on it, or needs too much time or memory")
    return reply


def _find_package_folder(name: str) -> str:
    """Return the folder from which Python imports a package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ValueError(f"{name} is not installed")
    return str(Path(spec.origin).parent.parent)


def _build_environment() -> dict[str, str]:
    """Build the child's environment: no HDF5 plug-ins, and no threads, whose stacks use memory."""
    names = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: value for name, value in os.environ.items() if name in names} | {
        "HDF5_PLUGIN_PRELOAD": "::",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _run_as_child() -> None:
    """Read the file from stdin and write its arrays, or the reason why not, to stdout."""
    sys.path += sys.argv[1:]
    import h5py

    content = sys.stdin.buffer.read()
    _limit_resources(len(content))
    arrays: list[Any] = []
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            arrays = list(_read_all(h5py, file, len(content)))
        entries = [(path, array.dtype.str, array.shape) for path, array in arrays]
        header = json.dumps({"arrays": entries}).encode()
        # Attack: names that make the reply much longer than the file.
        if len(header) > MAX_HEADER_BYTES:
            raise ValueError("it has too many arrays")
    except Exception as error:  # h5py can raise any exception.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        arrays, header = [], json.dumps({"error": reason}).encode()
    sys.stdout.buffer.write(len(header).to_bytes(8, "little") + header)
    for _, array in arrays:
        sys.stdout.buffer.write(array.tobytes())
    sys.stdout.buffer.flush()
    # Skip the library's own shutdown, which can hang or crash after a damaged file.
    os._exit(0)


def _limit_resources(size: int) -> None:
    """Limit this process, which holds a file of `size` bytes, where the platform supports it."""
    try:
        import resource
    except ImportError:  # On Windows only the wall time is limited.
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(usage.ru_utime + usage.ru_stime) + PROCESSOR_SECONDS + size // (100 << 20)
    limits = {
        "RLIMIT_CPU": seconds,  # Attack: a loop.
        "RLIMIT_AS": MEMORY_BYTES + 4 * size,  # Attack: an array that fills memory.
        "RLIMIT_NOFILE": 0,  # Attack: a link to another file.
        "RLIMIT_FSIZE": 0,  # Attack: a file that makes the library write.
        "RLIMIT_CORE": 0,  # Attack: a crash that dumps this process' memory.
    }
    for name, limit in limits.items():
        # macOS does not accept an RLIMIT_AS below the memory that is mapped already.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            # SIGXCPU comes at the lower limit; SIGKILL would look like a lack of memory.
            upper = limit + 1 if name == "RLIMIT_CPU" else limit
            resource.setrlimit(getattr(resource, name), (limit, upper))


def _read_all(h5py: Any, file: Any, size: int) -> Iterator[tuple[str, Any]]:
    """Yield the path and numbers of each array, or raise `ValueError` for unexpected content."""
    pending, objects, total = [("", 0, file)], 0, 0
    while pending:
        path, depth, group = pending.pop()
        for name in group:
            objects += 1
            # Attack: groups that contain themselves, or millions of them.
            if objects > MAX_OBJECTS or depth >= MAX_DEPTH:
                raise ValueError("it has too many groups and arrays")
            # Attack: names with control characters, which reach the terminal in a message.
            if not _NAME.fullmatch(name):
                raise ValueError(f"Keras does not write the name {name[:80]!r}")
            # Attack: a link to another file of the user's.
            if group.get(name, getclass=True, getlink=True) is not h5py.HardLink:
                raise ValueError(f"{path}{name} is a link to another place")
            member = group[name]
            if isinstance(member, h5py.Group):
                pending.append((f"{path}{name}/", depth + 1, member))
                continue
            total += _measure_array(h5py, member, f"{path}{name}")
            # Attack: many arrays that share the same bytes.
            if total > size:
                raise ValueError("its arrays are larger than the file")
            array = member[()]
            yield f"{path}{name}", array.astype(array.dtype.newbyteorder("<"), copy=False)


def _measure_array(h5py: Any, dataset: Any, path: str) -> int:
    """Return the size in bytes of an array that is stored in this file in one piece."""
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{path} is neither a group nor an array")
    # Attack: an array whose numbers are another file of the user's.
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{path} lies in another file")
    # Attack: chunks with filters, which decompress without a bound.
    if dataset.chunks is not None or dataset.shape is None or dataset.ndim > 8:
        raise ValueError(f"{path} is stored in a way that Keras does not use")
    # Attack: strings and references, which the library allocates outside the array.
    if dataset.dtype.kind not in _NUMERIC_KINDS or dataset.dtype.itemsize > 8:
        raise ValueError(f"{path} holds {str(dataset.dtype)[:40]}, not plain numbers")
    declared = math.prod(dataset.shape) * dataset.dtype.itemsize
    # Attack: a tiny file with an array that is declared larger than memory.
    if declared != dataset.id.get_storage_size():
        raise ValueError(f"{path} is declared larger than it is")
    return declared


if __name__ == "__main__":
    try:
        _run_as_child()
    except BaseException:
        # What the file can cause is answered above: memory is short, or this Python is broken.
        os._exit(_FAILED_ITSELF)
