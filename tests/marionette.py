"""Drives Firefox by its own protocol, Marionette: lines of JSON over a local connection."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any

_WAIT = 120


class Marionette:
    """A connection to a Firefox that was started with `--marionette`."""

    def __init__(self, profile: Path) -> None:
        """Connect to the port that Firefox writes into its profile."""
        file, end = profile / "MarionetteActivePort", time.monotonic() + _WAIT
        while not (file.is_file() and file.read_text().strip()):
            assert time.monotonic() < end, "Firefox has not started"
            time.sleep(0.1)
        self._socket = socket.create_connection(("127.0.0.1", int(file.read_text())), _WAIT)
        self._stream = self._socket.makefile("rb")
        self._number = 0
        self._read()
        self.send("WebDriver:NewSession", {})

    def __enter__(self) -> Marionette:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        self._socket.close()

    def send(self, command: str, parameters: dict[str, Any]) -> Any:
        """Send a command of WebDriver, and return its result."""
        self._number += 1
        content = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(content), content))
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def open_page(self, page: Path) -> None:
        """Open a page of networks from its file, and wait until its scripts have started."""
        self.send("WebDriver:Navigate", {"url": page.as_uri()})
        end = time.monotonic() + _WAIT
        while not self.run("return 'ready' in document.documentElement.dataset;"):
            assert time.monotonic() < end, "the page has not started"
            time.sleep(0.1)

    def run(self, source: str) -> Any:
        """Run the body of an async function in the page, and return what it returns."""
        script = (
            "const finish = arguments[arguments.length - 1];"
            f"(async () => {{ {source} }})().then((value) => finish({{value}}),"
            " (error) => finish({error: String(error)}));"
        )
        # null: the page's own globals
        parameters = {"script": script, "args": [], "sandbox": None}
        answer = self.send("WebDriver:ExecuteAsyncScript", parameters)["value"]
        assert "error" not in answer, answer
        return answer["value"]

    def _read(self) -> Any:
        length = b""
        while (digit := self._stream.read(1)) != b":":
            length += digit
        return json.loads(self._stream.read(int(length)))
