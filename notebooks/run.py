"""Runs notebooks anew, each in a clean kernel, then the Python in the answers of its exercises in the same kernel, and writes the outputs.

Messages on stderr, such as that data are prepared, are shown and not kept. Fails where a cell or an answer does, and for what should not be
committed: paths of this machine, 1 MB or more.
Usage: run.py [NOTEBOOK.ipynb…]; without one, all.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
# Seconds for one cell: on a loaded machine everything takes many times longer.
_TIMEOUT = 1200
_MAX_BYTES = 1_000_000
_ANSWER = re.compile(r"<details>.*?</details>", re.DOTALL)
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def answers(notebook: nbformat.NotebookNode) -> list[str]:
    """The code in the answers, in order."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [
        code for text in texts for answer in _ANSWER.findall(text) for code in _CODE.findall(answer)
    ]


def execute(notebook: nbformat.NotebookNode) -> None:
    """Fills in the outputs; raises `CellExecutionError` where a cell or an answer fails."""
    client = NotebookClient(
        notebook,
        timeout=_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        # Its warnings are about the kernel itself: that what it sends could be overheard on this machine.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": HERE}},
    )
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
        for code in answers(notebook):
            # The client wants the cell to have a place in the notebook.
            notebook.cells.append(nbformat.v4.new_code_cell(code))
            try:
                client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
            finally:
                notebook.cells.pop()


def take_messages(notebook: nbformat.NotebookNode) -> list[str]:
    """Takes what went to stderr out of the notebook."""
    found = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        found += [output.text.strip() for output in outputs if output.get("name") == "stderr"]
        outputs[:] = [output for output in outputs if output.get("name") != "stderr"]
    return found


def complaints(notebook: nbformat.NotebookNode) -> list[str]:
    """What should not be committed, in one line each."""
    text = nbformat.writes(notebook)
    found = [
        f"a path of this machine: {place}"
        for place in (str(HERE.parent), str(Path.home()))
        if len(place) > 5 and place in text
    ]
    if len(text.encode()) >= _MAX_BYTES:
        found.append(f"{len(text.encode()):,} bytes, and less than {_MAX_BYTES:,} is wanted")
    return found


def _run(path: Path) -> bool:
    notebook, began = nbformat.read(path, nbformat.NO_CONVERT), time.perf_counter()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {name: value for name, value in cell.metadata.items() if name == "tags"}
    try:
        execute(notebook)
    except CellExecutionError as error:
        print(f"{path.name}: a cell failed\n{error}", file=sys.stderr)
        return False
    notebook.metadata.language_info = {"name": "python"}
    for message in take_messages(notebook):
        print(f"{path.name}, on stderr: {message}")
    found = complaints(notebook)
    for complaint in found:
        print(f"{path.name}: {complaint}", file=sys.stderr)
    nbformat.write(notebook, path)
    print(
        f"{path.name}: {time.perf_counter() - began:.0f} s, {len(answers(notebook))} answers, {path.stat().st_size // 1000} kB",
        flush=True,
    )
    return not found


def main(names: list[str]) -> int:
    paths = [Path(name) for name in names] or sorted(HERE.glob("*.ipynb"))
    failed = [path for path in paths if not _run(path)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
