"""Hides what TensorFlow's C++ libraries say on stderr before they read their log level."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator

# A line of TensorFlow's log: `I0000 00:00:17… ` or, in its older form, `2026-01-01 …: I `.
_LOG_LINE = re.compile(rb"(?:([IWEF])\d{4} [\d:.]+|\d{4}-\d\d-\d\d [\d:.]+: ([IWEF])) ")
_SEVERITIES = b"IWEF"
# Says that the log isn't set up yet.
_PREAMBLE = b"WARNING: All log messages before absl::InitializeLog() "
# The error of a machine without a GPU.
_NO_GPU = b"failed call to cuInit"

_LOGGERS = ("tensorflow", "absl", "tf2onnx", "openvino")

_is_hiding = threading.Lock()


@contextlib.contextmanager
def hide_startup_log() -> Iterator[None]:
    """Hide the log lines that `TF_CPP_MIN_LOG_LEVEL` excludes while TensorFlow is imported.

    TensorFlow prints some of them before it reads the variable. Within the block, everything that
    this process writes to the descriptor of stderr is kept in a file; the rest is written at its
    end. Level 0 hides nothing, nor does a second thread. After an error all lines are written.

    Yields:
        Nothing.
    """
    with _hold_stderr(filter_log, shows_all_errors=True):
        yield


@contextlib.contextmanager
def hide_log() -> Iterator[None]:
    """Hide all that libraries print, log or warn of while they convert or run a network.

    What matters of it arrives as exceptions. `TF_CPP_MIN_LOG_LEVEL=0` hides nothing.

    Yields:
        Nothing.
    """
    if not _get_log_level():
        yield
        return
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with (
        _hold_stderr(lambda text, level: b"", shows_all_errors=False),
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextlib.contextmanager
def _hold_stderr(select: Callable[[bytes, int], bytes], shows_all_errors: bool) -> Iterator[None]:
    """Keep what is written to stderr's descriptor, and write what `select` returns of it.

    Args:
        select: Takes the text and the level.
        shows_all_errors: Whether level 0 counts after an exception.
    """
    level = _get_log_level()
    if not level or not _is_hiding.acquire(blocking=False):
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.callback(_is_hiding.release)
        try:
            held = stack.enter_context(tempfile.TemporaryFile())
            stderr = os.dup(2)
        except OSError:  # Stderr is closed, or no file can be made.
            yield
            return
        stack.callback(os.close, stderr)
        _redirect(held.fileno())
        # A crash would lose what is held: at least it says where it was.
        if not faulthandler.is_enabled():
            faulthandler.enable(stderr)
            stack.callback(faulthandler.disable)
        try:
            yield
        except Exception:
            level = 0 if shows_all_errors else level
            raise
        finally:
            _redirect(stderr)
            held.seek(0)
            _write(select(held.read(), level))


def filter_log(text: bytes, level: int) -> bytes:
    """Remove lines of TensorFlow's log.

    Args:
        text: What was written to stderr.
        level: The lowest severity that stays, 0 to 3. Above 0, the missing GPU of a machine that
            has none is no error.

    Returns:
        The text without the lines below that severity.
    """
    if not level:
        return text
    hides_gpu = not _expects_gpu()
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not _is_hidden(line, level, hides_gpu)]
    if not any(_LOG_LINE.match(line) for line in kept):
        kept = [line for line in kept if not line.startswith(_PREAMBLE)]
    return b"".join(kept)


def _is_hidden(line: bytes, level: int, hides_gpu: bool) -> bool:
    match = _LOG_LINE.match(line)
    if match is None:
        return False
    severity = _SEVERITIES.index(match[1] or match[2])
    return severity < level or (hides_gpu and _NO_GPU in line)


def _expects_gpu() -> bool:
    """Return whether this machine has a driver for GPUs, and the user doesn't hide them."""
    is_hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "unset") in ("", "-1")
    return not is_hidden and shutil.which("nvidia-smi") is not None


def _get_log_level() -> int:
    value = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0")
    return int(value) if value.isdecimal() else 0


def _redirect(descriptor: int) -> None:
    """Make a descriptor that of stderr, after what Python has not written yet."""
    with contextlib.suppress(Exception):  # As in `output.write`: a program's own stream.
        sys.stderr.flush()
    with contextlib.suppress(OSError):
        os.dup2(descriptor, 2)


def _write(text: bytes) -> None:
    with contextlib.suppress(OSError):
        while text:
            text = text[os.write(2, text) :]
