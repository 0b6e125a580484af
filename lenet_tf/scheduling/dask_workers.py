"""The workers of a Dask cluster: which there are, and which may run the jobs of this client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lenet_tf.errors import RunError
from lenet_tf.scheduling.dask_worker import describe_worker
from lenet_tf.scheduling.software import describe_software, find_difference
from lenet_tf.text import strip_period

_POLL_SECONDS = 1.0
# A worker that is leaving fails once or twice.
_MAX_FAILURES = 3


class Workers:
    """The workers of a cluster, which may come and go.

    Args:
        client: The `distributed.Client`.
        report: Called with a line for each worker that can't be used.
    """

    def __init__(self, client: Any, report: Callable[[str], None]) -> None:
        self._client, self._report = client, report
        self._threads: dict[str, int] = {}
        # Why a worker is not used; "" for those that are.
        self._problems: dict[str, str] = {}
        self._failures: dict[str, int] = {}
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Look at the workers now, and again each second until `close`."""
        self.refresh()
        self._thread.start()

    def close(self) -> None:
        """End the thread of `start`."""
        self._closed.set()

    @property
    def slots(self) -> int:
        """Sum of the threads of the workers that may run jobs."""
        return sum(self._threads.get(address, 0) for address in self.usable)

    @property
    def usable(self) -> list[str]:
        """Addresses of the workers that may run jobs."""
        return [
            address for address in tuple(self._threads) if self._problems.get(address, "?") == ""
        ]

    @property
    def has_excluded(self) -> bool:
        """Whether some workers may not run jobs."""
        return any(self._problems.get(address, "?") for address in tuple(self._threads))

    def exclude(self, address: str, problem: str) -> None:
        """Use a worker no more.

        Args:
            address: The worker.
            problem: What is wrong with it, and what to do.
        """
        with self._lock:
            is_new = not self._problems.get(address)
            self._problems[address] = problem
        if is_new:
            self._report(f"Worker {address} {strip_period(problem)}. It gets no runs.")

    def check_any_usable(self) -> None:
        """Check that some worker may run jobs, or that there is none yet.

        Raises:
            RunError: If there are workers, but each is excluded.
        """
        addresses = list(self._threads)
        if addresses and not self.usable and all(self._problems.get(each) for each in addresses):
            raise RunError(
                f"no worker of {len(addresses)} can run this: {addresses[0]}"
                f" {self._problems[addresses[0]]}"
            )

    def refresh(self) -> None:
        """Ask the scheduler for its workers, and new ones for their software."""
        threads = dict(self._client.nthreads())
        new = [address for address in threads if address not in self._problems]
        if new:
            self._check(new)
        if self._threads and not threads:
            self._report("No workers are left: waiting for one. Ctrl-C ends.")
        self._threads = threads
        with self._lock:
            # A worker that is started again at its address is checked again.
            for address in set(self._problems) - set(threads):
                del self._problems[address]

    def _check(self, addresses: list[str]) -> None:
        answers = self._client.run(describe_worker, workers=addresses, on_error="return")
        here = describe_software()
        for address in addresses:
            answer = answers.get(address)
            if isinstance(answer, OSError) or answer is None:
                problem = self._count_failure(address)
                if not problem:
                    continue
            elif isinstance(answer, Exception):
                reason = f"{type(answer).__name__}: {answer}".splitlines()[0]
                problem = (
                    f"can't run lenet_tf ({reason}): run pip install 'lenet_tf[cluster]' in its"
                    " environment and start it again"
                )
            else:
                problem = find_difference(here, answer)
            if problem:
                self.exclude(address, problem)
            else:
                self._problems[address] = ""

    def _count_failure(self, address: str) -> str:
        """Return what is wrong with a worker that doesn't answer; "" if it may just be leaving."""
        self._failures[address] = self._failures.get(address, 0) + 1
        if self._failures[address] < _MAX_FAILURES:
            return ""
        return (
            "can't be reached by the scheduler: open its port there, which dask worker"
            " --worker-port fixes, and start it again"
        )

    def _follow(self) -> None:
        while not self._closed.wait(_POLL_SECONDS):
            try:
                self.refresh()
            except Exception:  # The connection is lost for now: `DaskPool.run` notices.
                continue
