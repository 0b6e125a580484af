"""Choose where jobs run."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from lenet_tf.scheduling.job import Pool

if TYPE_CHECKING:
    from lenet_tf.scheduling.dask_connection import TlsFiles


def open_pool(
    scheduler: str | None = None,
    slots: int | None = None,
    tls: TlsFiles | None = None,
    report: Callable[[str], None] = warnings.warn,
) -> Pool:
    """Open the pool of a Dask scheduler, or of this machine.

    Args:
        scheduler: Address of a Dask scheduler, such as `tcp://10.0.0.5:8786`. None: this machine.
        slots: Number of jobs at a time. None: the idle cores, or all threads of the workers.
        tls: The files of a scheduler's `tls://` address. None: those of Dask's configuration.
        report: Called with a line about workers that are missing or can't be used.

    Returns:
        The pool, for a `with` block, which connects.
    """
    if scheduler is None:
        from lenet_tf.scheduling.local_pool import LocalPool

        return LocalPool(slots)
    from lenet_tf.scheduling.dask_pool import DaskPool

    return DaskPool(scheduler, slots, tls, report)
