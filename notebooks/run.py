"""Run notebooks from clean kernels, including the code in their answers, and store the outputs.

Messages on stderr are printed, not stored. The script fails if a cell or an answer fails, or if a
notebook must not be committed: it contains a path of this machine or has 1 MB or more.

Usage: run.py [NOTEBOOK.ipynb ...]; without arguments it runs all notebooks.
"""

from __future__ import annotations

import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parent
# Generous, because a loaded machine takes many times longer.
_CELL_TIMEOUT_SECONDS = 1200
_MAX_BYTES = 1_000_000
_ANSWER = re.compile(r"<details>.*?</details>", re.DOTALL)
_CODE_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def find_answer_code(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the Python blocks of all answers, in order."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    answers = [answer for text in texts for answer in _ANSWER.findall(text)]
    return [code for answer in answers for code in _CODE_BLOCK.findall(answer)]


def execute_notebook(notebook: nbformat.NotebookNode) -> None:
    """Run all cells and then the answers in one clean kernel, and store the cells' outputs.

    Args:
        notebook: Notebook to run; its outputs are replaced in place.

    Raises:
        CellExecutionError: If a cell or an answer fails.
    """
    client = NotebookClient(
        notebook,
        timeout=_CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        # Hide the kernel's warning that its local connection is not encrypted.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": FOLDER}},
    )
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        for code in find_answer_code(notebook):
            # The client executes only cells that belong to the notebook.
            notebook.cells.append(nbformat.v4.new_code_cell(code))
            try:
                client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
            finally:
                notebook.cells.pop()


def remove_stderr(notebook: nbformat.NotebookNode) -> list[str]:
    """Remove the stderr outputs from a notebook and return their texts."""
    messages = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        messages += [output.text.strip() for output in outputs if output.get("name") == "stderr"]
        outputs[:] = [output for output in outputs if output.get("name") != "stderr"]
    return messages


def find_problems(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the reasons why a notebook must not be committed, one line each."""
    text = nbformat.writes(notebook)
    problems = [
        f"contains a path of this machine: {path}"
        for path in (str(FOLDER.parent), str(Path.home()))
        # A short home such as /root would match unrelated text.
        if len(path) > 5 and path in text
    ]
    size = len(text.encode())
    if size >= _MAX_BYTES:
        problems.append(f"has {size:,} bytes; it must have fewer than {_MAX_BYTES:,}")
    return problems


def _run_file(path: Path) -> bool:
    """Run a notebook file, store it, and report whether it succeeded without problems."""
    notebook, start = nbformat.read(path, nbformat.NO_CONVERT), time.perf_counter()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {name: value for name, value in cell.metadata.items() if name == "tags"}
    try:
        execute_notebook(notebook)
    except CellExecutionError as error:
        print(f"{path.name}: a cell failed\n{error}", file=sys.stderr)
        return False
    notebook.metadata.language_info = {"name": "python"}
    for message in remove_stderr(notebook):
        print(f"{path.name}, on stderr: {message}")
    problems = find_problems(notebook)
    for problem in problems:
        print(f"{path.name} {problem}", file=sys.stderr)
    nbformat.write(notebook, path)
    seconds, answers = time.perf_counter() - start, len(find_answer_code(notebook))
    kilobytes = path.stat().st_size // 1000
    print(f"{path.name}: {seconds:.0f} s, {answers} answers, {kilobytes} kB", flush=True)
    return not problems


def main(names: list[str]) -> int:
    """Run the named notebooks, or all of them; return 1 if one failed, else 0."""
    paths = [Path(name) for name in names] or sorted(FOLDER.glob("*.ipynb"))
    # Two at a time: a kernel leaves one of two cores idle for most of its time.
    with ProcessPoolExecutor(max_workers=2) as pool:
        return 0 if all(list(pool.map(_run_file, paths))) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
