"""Settings of TensorFlow that must be made when a process starts or for all of it."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator

from lenet_tf.errors import LenetError
from lenet_tf.runtime.keras_settings import check_keras
from lenet_tf.runtime.quick_imports import (
    OPTIONAL_PACKAGES,
    hide_packages,
    pause_garbage_collection,
)
from lenet_tf.runtime.settings import are_settings_pinned
from lenet_tf.runtime.startup_log import hide_startup_log
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.runtime.threads import (
    find_invalid_threads,
    use_parallel_halves,
    uses_one_thread,
)

# Functions that Keras, `MirroredLoop` and `evaluation.evaluate` create for every model, where the
# advice is moot.
_TRACED_PER_MODEL = re.compile(
    r"<function (TensorFlowTrainer\.|MirroredLoop\.|_compile_forward\.<locals>)"
)


def start_tensorflow(tf32: bool = True) -> None:
    """Import TensorFlow with threads for the graph engine and GPU memory that grows on demand.

    Settings in the environment and `use_one_thread` take precedence. Call this before
    TensorFlow runs its first operation; later calls only apply `tf32`.

    Args:
        tf32: Whether a GPU may round factors to TF32's 10 bits in convolutions and matrix
            products. False, for comparisons with a CPU, applies to the whole process.

    Raises:
        LenetError: If Keras' settings cannot work, see `check_keras`, or the numbers of threads.
    """
    check_keras(needs_tensorflow=False)
    for name, value in find_invalid_threads().items():
        raise LenetError(f"{name} must be a whole number from 0 to 999, not {value!r:.40}")
    if not uses_one_thread():
        use_parallel_halves()
    # Hides informational messages.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    with contextlib.ExitStack() as stack:
        if "tensorflow" not in sys.modules:
            stack.enter_context(STATUS.show("starting TensorFlow"))
            stack.enter_context(_import_quickly())
        stack.enter_context(hide_startup_log())
        import tensorflow as tf

        # TensorFlow looks for GPUs when it is asked for the first time.
        gpus = tf.config.list_physical_devices("GPU")
    if not tf32:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    for gpu in gpus:
        # A GPU that is in use, or split by the user into virtual devices, refuses.
        with contextlib.suppress(RuntimeError, ValueError):
            tf.config.experimental.set_memory_growth(gpu, True)


@contextlib.contextmanager
def _import_quickly() -> Iterator[None]:
    is_command = are_settings_pinned()
    with contextlib.ExitStack() as stack:
        stack.enter_context(pause_garbage_collection(keeps_modules=is_command))
        if is_command:
            stack.enter_context(hide_packages(OPTIONAL_PACKAGES))
        yield


@contextlib.contextmanager
def hide_retracing_advice() -> Iterator[None]:
    """Hide TensorFlow's warnings about retracing functions that each model must trace anew.

    Yields:
        Nothing; the warnings are hidden within the block.
    """

    def is_useful(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        is_advice = "triggered tf.function retracing" in message
        return not (is_advice and _TRACED_PER_MODEL.search(message))

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_useful)
    try:
        yield
    finally:
        logger.removeFilter(is_useful)


# TensorFlow has no public query for it.
_determinism = {"is_enabled": False}


def enable_determinism() -> None:
    """Make TensorFlow's operations deterministic until the process ends."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    _determinism["is_enabled"] = True


def is_deterministic() -> bool:
    """Return whether `enable_determinism` was called in this process."""
    return _determinism["is_enabled"]
