"""Choose where jobs run."""

from __future__ import annotations

from lenet_tf.scheduling.job import Pool
from lenet_tf.scheduling.local_pool import LocalPool


def open_pool(scheduler: str | None = None, slots: int | None = None) -> Pool:
    """Open the pool of a Dask scheduler, or of this machine.

    Args:
        scheduler: Address of a Dask scheduler, such as `tcp://10.0.0.5:8786`. None: this machine.
        slots: Number of jobs at a time. None: the idle cores, or all threads of the workers.

    Returns:
        The pool, for a `with` block.
    """
    return LocalPool(slots)
