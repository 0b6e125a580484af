"""Runs the page's scripts in Node, without a browser."""

from __future__ import annotations

import json
import subprocess
import textwrap
from pathlib import Path
from typing import Any

from lenet_tf.inference.page.script_sources import SCRIPTS


def find_node() -> str:
    """Return the Node that Playwright brings: a private name, in this one place."""
    from playwright._impl._driver import compute_driver_executable

    return compute_driver_executable()[0]


def run_script(source: str, argument: Any = None, folder: Path = SCRIPTS) -> Any:
    """Run a module that may import the page's, such as `#page/network/forward.js`.

    Args:
        source: JavaScript. `argument` holds the argument, and `answer(value)` must be called with
            the result.
        argument: Values for JSON.
        folder: Where the module looks for package.json.

    Returns:
        The values that were passed to `answer`.
    """
    module = f"""
        import {{readFileSync, writeSync}} from "node:fs";
        const argument = JSON.parse(readFileSync(0, "utf8"));
        const answer = (value) => {{
          const bytes = Buffer.from(JSON.stringify(value));
          for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
        }};
        {textwrap.dedent(source)}
    """
    # Node 26.13 ends by SIGSEGV in about one of ten long runs; an error of the script exits with 1.
    for _ in range(3):
        result = subprocess.run(
            [find_node(), "--input-type=module", "--eval", module],
            input=json.dumps(argument),
            capture_output=True,
            encoding="utf-8",
            cwd=folder,
            timeout=300,
            check=False,
        )
        if result.returncode >= 0:
            break
    assert result.returncode == 0, (result.returncode, result.stderr[-4000:])
    return json.loads(result.stdout)
