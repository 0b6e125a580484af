"""Whether a server answers."""

from __future__ import annotations

import contextlib
import threading

REACH_SECONDS = 4.0


def is_reachable(url: str, timeout: float = REACH_SECONDS) -> bool:
    """Return whether a URL answers with success in time.

    TFDS itself would retry for minutes, and a name lookup has no time limit at all.

    Args:
        url: The URL to request.
        timeout: Seconds to wait.
    """
    import requests

    results = []

    def request() -> None:
        with (
            contextlib.suppress(requests.RequestException),
            requests.get(url, stream=True, timeout=timeout) as response,
        ):
            results.append(response.ok)

    thread = threading.Thread(target=request, daemon=True)
    thread.start()
    thread.join(timeout)
    return any(results)
