"""The environment variables that set TensorFlow's threads and oneDNN."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

from lenet_tf.runtime.environment import usable_cores

_INTER_OP, _INTRA_OP, _ONEDNN = (
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
)
# oneDNN's own variable: the newest instruction set that it may use.
_ONEDNN_ISA = "ONEDNN_MAX_CPU_ISA"
ONE_THREAD = {_INTER_OP: "1", _INTRA_OP: "1", _ONEDNN: "0"}
# The values of `use_parallel_halves` on one or two cores.
ONE_CORE = {_INTER_OP: "2", _INTRA_OP: "1", _ONEDNN: "1"}

_RECORDED_PATTERNS = {
    _INTER_OP: r"[1-9][0-9]?",
    _INTRA_OP: r"[1-9][0-9]?",
    _ONEDNN: r"[01]",
    _ONEDNN_ISA: r"[A-Z0-9_]{1,40}",
}

# What this module set itself, and may therefore change again.
_own_values: dict[str, str] = {}


def use_one_thread() -> None:
    """Make TensorFlow use one thread and no oneDNN, which is fastest for batches of one image.

    Call this before TensorFlow runs its first operation, and before it is imported to turn off
    oneDNN; later calls have no effect. Variables that the user has set keep their values.

    Example:
        >>> import lenet_tf
        >>> lenet_tf.use_one_thread()
    """
    _set_variables(ONE_THREAD)


def use_parallel_halves() -> None:
    """Make TensorFlow run two operations at a time, each on half of the cores, with oneDNN.

    The graph engine trains the two halves of a batch in parallel. TensorFlow enables oneDNN on
    some processors only, and convolutions take three times as long without it. The conditions
    of `use_one_thread` apply.
    """
    intra_op = str(max(1, usable_cores() // 2))
    _set_variables({_INTER_OP: "2", _INTRA_OP: intra_op, _ONEDNN: "1"})


def use_recorded(variables: Mapping[str, str | None] | None) -> None:
    """Make TensorFlow use the threads and the oneDNN setting with which a run started.

    Variables that the user has set keep their values. The conditions of `use_one_thread` apply.

    Args:
        variables: What `read_thread_settings` returned then; None for a run of another version.
    """
    if _has_started_threads():
        return
    for name, value in (variables or {}).items():
        # Attack: a run folder that sets other variables, or thousands of threads.
        pattern = _RECORDED_PATTERNS.get(name)
        if pattern is None or value is None or not re.fullmatch(pattern, value):
            continue
        if name in (_ONEDNN, _ONEDNN_ISA) and "tensorflow" in sys.modules:
            continue
        if os.environ.get(name) in (None, _own_values.get(name)):
            # Not among the own values, which a later call may change.
            os.environ[name] = value
            _own_values.pop(name, None)


def _set_variables(variables: dict[str, str]) -> None:
    if _has_started_threads():
        return
    # TensorFlow reads oneDNN's variable when it is imported, the others when threads start.
    is_imported = "tensorflow" in sys.modules
    for name, value in variables.items():
        if name == _ONEDNN and is_imported:
            continue
        if os.environ.get(name) in (None, _own_values.get(name)):
            os.environ[name] = _own_values[name] = value


def _has_started_threads() -> bool:
    if "tensorflow" not in sys.modules:
        return False
    import tensorflow as tf

    threading = tf.config.threading
    count = threading.get_inter_op_parallelism_threads()
    try:
        # TensorFlow offers no query, but refuses a new value once its threads run. Another thread
        # may start them between the two calls.
        threading.set_inter_op_parallelism_threads(count + 1)
        threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:
        return True
    return False


def find_invalid_threads() -> dict[str, str]:
    """Return the variables for threads, by name, whose values crash TensorFlow or stop it.

    A number below 0 ends the process, and many thousands of threads never start. 0 takes
    TensorFlow's default.
    """
    values = {name: os.environ.get(name, "") for name in (_INTER_OP, _INTRA_OP)}
    return {name: text for name, text in values.items() if not re.fullmatch(r"\d{0,3}", text)}


def uses_one_thread() -> bool:
    """Return whether the environment limits TensorFlow to one thread."""
    return [os.environ.get(name) for name in (_INTER_OP, _INTRA_OP)] == ["1", "1"]


def read_thread_settings() -> dict[str, str | None]:
    """Read the variables for threads and oneDNN that can change the last bits of a result.

    Returns:
        Each variable's value; None where it is not set.
    """
    names = (_INTER_OP, _INTRA_OP, _ONEDNN, _ONEDNN_ISA)
    return {name: os.environ.get(name) or None for name in names}


def keep_user_onednn(variables: dict[str, str]) -> dict[str, str]:
    """Replace oneDNN's values in `variables` by the user's, if the user has set them.

    Args:
        variables: Environment variables for another process, on another machine perhaps.

    Returns:
        The variables to use.
    """
    users = {name: os.environ[name] for name in (_ONEDNN, _ONEDNN_ISA) if name in os.environ}
    return variables | {name: users[name] for name in users if name not in _own_values}
