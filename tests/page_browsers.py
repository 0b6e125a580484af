"""Runs the checks of the page's scripts in browsers, and prints their errors and their speed.

    python tests/page_browsers.py [--images 50]

The check page is served to a headless browser, which posts its results back: no driver is needed.
"""

from __future__ import annotations

import argparse
import json
import queue
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from page_networks import CHECK, NAMES, build_check

from lenet_tf.inference.page.script_sources import build_import_map

# Browser → names of its program, and its arguments; {profile} is an empty folder.
BROWSERS = {
    "chromium": (
        ("chromium", "chromium-browser", "google-chrome"),
        ("--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir={profile}"),
    ),
    "firefox": (
        ("firefox-esr", "firefox"),
        ("--headless", "--no-remote", "--profile", "{profile}"),
    ),
}
_RUN = """
    const post = (result) => fetch("/result", {method: "POST", body: JSON.stringify(result)});
    try {
      for (let number = 0; number < COUNT; number++) {
        const data = await (await fetch(`/check/${number}`)).json();
        await post(await checkNetwork(data));
      }
    } catch (error) {
      await post({fault: `${error} ${error.stack}`});
    }
"""


def find_browser(name: str) -> str | None:
    """Return the path of a browser's program, or None."""
    return next(filter(None, map(shutil.which, BROWSERS[name][0])), None)


@contextmanager
def open_browser(name: str, *arguments: str) -> Iterator[Path]:
    """Run a headless browser with a new profile, whose folder this yields."""
    program = find_browser(name)
    assert program is not None, f"{name} is missing"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # Firefox would else open pages of its own.
        (Path(profile) / "user.js").write_text(
            'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
            'user_pref("browser.shell.checkDefaultBrowser", false);\n'
            'user_pref("app.update.enabled", false);\n',
            encoding="utf-8",
        )
        options = [option.format(profile=profile) for option in BROWSERS[name][1]]
        process = subprocess.Popen(
            [program, *options, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Path(profile)
        finally:
            process.terminate()
            process.wait(60)


def run_checks(name: str, checks: list[bytes], seconds: float = 300) -> list[dict[str, Any]]:
    """Run checks in a browser.

    Args:
        name: One of `BROWSERS`.
        checks: JSON of each check, from `build_check`.
        seconds: How long to wait for each result.

    Returns:
        The results of `checkNetwork` in page_check.js.
    """
    pages = {"/": _build_page(len(checks))}
    pages |= {f"/check/{number}": check for number, check in enumerate(checks)}
    results: queue.Queue[dict[str, Any]] = queue.Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(pages, results))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with open_browser(name, f"http://127.0.0.1:{server.server_port}/"):
            received = []
            for _ in checks:
                received.append(results.get(timeout=seconds))
                assert "fault" not in received[-1], received[-1]["fault"]
            return received
    finally:
        server.shutdown()
        server.server_close()


def _build_page(count: int) -> bytes:
    script = (CHECK + _RUN).replace("COUNT", str(count)).replace("</", "<\\/")
    import_map = json.dumps(build_import_map()).replace("<", "\\u003c")
    return (
        '<!doctype html><meta charset="utf-8"><title>Check</title>'
        f'<script type="importmap">{import_map}</script><script type="module">{script}</script>'
    ).encode()


def _make_handler(pages: Mapping[str, bytes], results: queue.Queue[dict[str, Any]]) -> type:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = pages.get(self.path)
            self._send(200 if content is not None else 404, content or b"")

        def do_POST(self) -> None:
            results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._send(200, b"")

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if self.path == "/" else "text/plain")
            self.send_header("Content-Length", str(len(content)))
            # Browsers give such pages a finer clock.
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--precision", choices=("float32", "float64"), default="float32")
    parser.add_argument("--browsers", nargs="+", choices=BROWSERS, default=list(BROWSERS))
    parser.add_argument("--networks", nargs="+", choices=NAMES, default=NAMES)
    arguments = parser.parse_args()
    checks = [
        json.dumps(build_check(name, arguments.images, precision=arguments.precision)).encode()
        for name in arguments.networks
    ]
    for browser in filter(find_browser, arguments.browsers):
        print(f"\n{browser:27} {'layers':>8} {'sums':>8} {'saliency':>8} {'answers':>8} {'ms':>6}")
        for result in run_checks(browser, checks):
            worst = max(result["layers"].values())
            print(
                f"{result['name']:27} {worst:8.1e} {result['explained']:8.1e}"
                f" {result['saliency']:8.1e} {result['different']:8} {result['milliseconds']:6.2f}"
            )


if __name__ == "__main__":
    _main()
