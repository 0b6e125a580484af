"""Python processes, and an environment without a network."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

# Nothing listens on the discard port: every request fails at once, on any network.
NO_NETWORK = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
) | {"no_proxy": "", "NO_PROXY": ""}


def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments and capture its output."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
