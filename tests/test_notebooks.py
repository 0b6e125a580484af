"""The course: its order, its form, its committed outputs. `make notebooks` runs it."""

import base64
import importlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
COURSE = [
    "01-images",
    "02-convolution",
    "03-pooling",
    "04-counting",
    "05-tutorial",
    "06-lenet5-1998",
    "07-inside",
    "08-hyperparameters",
    "09-color",
]


def read(name):
    return json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))


def sources(notebook, kind):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_the_course_is_complete_and_in_order():
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == [
        *COURSE,
        "quickstart",
    ]
    for number, name in enumerate(COURSE, 1):
        texts = sources(read(name), "markdown")
        assert texts[0].startswith(f"# {number}. ")
        if name != COURSE[-1]:
            assert f"]({COURSE[number]}.ipynb)" in texts[-1], name


@pytest.mark.parametrize("name", [*COURSE, "quickstart"])
def test_a_notebook_is_as_it_was_run(name):
    """From a clean kernel, from the first cell to the last, with an output where there is something to see, and none that is an error."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    assert path.stat().st_size < 1_000_000
    code = [cell for cell in read(name)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert all(
        cell["outputs"]
        for cell in code
        if re.search(r"^\s*print\(", "".join(cell["source"]), re.MULTILINE)
    )
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [
        output
        for output in outputs
        if output["output_type"] == "error" or output.get("name") == "stderr"
    ]
    pictures = [
        output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 2
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode("".join(picture)))) as image:
            assert np.ptp(np.asarray(image.convert("L"))) > 100, "an empty picture"


@pytest.mark.parametrize("name", COURSE)
def test_a_notebook_teaches(name):
    """Claims that are checked, exercises with hidden answers, a glossary with Korean names; what is defined is in the package."""
    notebook = read(name)
    code, text = "\n".join(sources(notebook, "code")), "\n".join(sources(notebook, "markdown"))
    assert len(re.findall(r"^\s*assert ", code, re.MULTILINE)) >= 5
    assert not re.search(r"^\s*(def|class) ", code, re.MULTILINE)
    assert max(map(len, code.splitlines())) <= 120, "a page cuts longer lines off"
    exercises = text.split("## Exercises")[1].split("## Glossary · 용어")[0]
    assert (
        exercises.count("<details><summary>Answer</summary>\n\n")
        == exercises.count("\n</details>")
        >= 3
    )
    terms = re.findall(
        r"^\|[^|]+\|([^|]*[가-힣][^|]*)\|[^|]+\|$",
        text.split("## Glossary · 용어")[1],
        re.MULTILINE,
    )
    assert len(terms) >= 5


@pytest.mark.parametrize("name", COURSE)
def test_a_cited_result_is_still_the_measured_one(name):
    """What a notebook cites of the runs on all of MNIST stands in the page that is made of their records."""
    results = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
    cited = re.findall(r"\d+\.\d+ ± \d+\.\d+", "\n".join(sources(read(name), "markdown")))
    assert [spread for spread in cited if spread not in results] == []


def test_the_answers_of_the_exercises_are_run(monkeypatch):
    """Those of a notebook whose answer is wrong are not written down as right."""
    pytest.importorskip("nbclient", reason="`make notebooks` installs what runs a notebook")
    import nbformat

    monkeypatch.syspath_prepend(str(ROOT / "notebooks"))
    run = importlib.import_module("run")
    answer = "<details><summary>Answer</summary>\n\n```python\nassert two == {}\n```\n\n</details>"
    cells = [
        nbformat.v4.new_code_cell("two = 2\nprint(two)"),
        nbformat.v4.new_markdown_cell(answer.format(2)),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    run.execute(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["code", "markdown"]
    assert notebook.cells[0].outputs[0].text == "2\n" and run.complaints(notebook) == []
    notebook.cells[1].source = answer.format(3)
    with pytest.raises(run.CellExecutionError, match="assert two == 3"):
        run.execute(notebook)
    notebook.cells[0].outputs[0].text = f"in {ROOT}"
    assert [complaint.split(":")[0] for complaint in run.complaints(notebook)] == [
        "a path of this machine"
    ]
    notebook.cells[0].outputs[0].name = "stderr"
    assert run.take_messages(notebook) == [f"in {ROOT}"] and run.complaints(notebook) == []
