"""An older version of lenet_tf in a temporary folder, to be measured beside this one."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


@contextlib.contextmanager
def check_out(revision: str | None) -> Iterator[dict[str, str]]:
    """Yields the environment of a process that imports lenet_tf as of a revision of Git.

    Without a revision it is empty.
    """
    if revision is None:
        yield {}
        return
    git = ["git", "-C", str(REPOSITORY), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        checkout = str(Path(folder) / "before")
        subprocess.run([*git, "add", "--quiet", "--detach", checkout, revision], check=True)
        try:
            yield {"PYTHONPATH": checkout}
        finally:
            subprocess.run([*git, "remove", "--force", checkout], check=True)
