"""Tests of the course: its order, its form and its committed outputs. `make notebooks` runs it."""

import ast
import base64
import importlib
import io
import json
import re
import types
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
NOTEBOOKS = [*COURSE, "quickstart"]
# Number of "mean ± deviation" results that each notebook cites from results/README.md.
CITATION_COUNTS = {"01-images": 10, "06-lenet5-1998": 4, "08-hyperparameters": 1}
ANSWER = re.compile(r"<details><summary>Answer</summary>\n\n(.*?)\n</details>", re.DOTALL)
CODE_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def read_notebook(name):
    return json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))


def read_sources(name, kind):
    """Return the sources of all cells of a kind, `code` or `markdown`."""
    cells = read_notebook(name)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


def find_citations(text):
    return re.findall(r"\d+\.\d+ ± \d+\.\d+", text)


def test_course_is_complete_and_in_order():
    stems = [path.stem for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert sorted(stems) == NOTEBOOKS
    for number, name in enumerate(COURSE, 1):
        texts = read_sources(name, "markdown")
        assert texts[0].startswith(f"# {number}. ")
        if name != COURSE[-1]:
            assert f"]({COURSE[number]}.ipynb)" in texts[-1], name


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_come_from_one_clean_run(name):
    """Every cell ran once, in order; printing cells have output; no output is an error."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    assert path.stat().st_size < 1_000_000
    code = [cell for cell in read_notebook(name)["cells"] if cell["cell_type"] == "code"]
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
    images = [
        output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})
    ]
    assert len(images) >= 2
    for encoded in images:
        with Image.open(io.BytesIO(base64.b64decode("".join(encoded)))) as image:
            assert np.ptp(np.asarray(image.convert("L"))) > 100, "an empty picture"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_imported_names_exist(name):
    """Code cells and answers use only modules and module attributes that exist."""
    sources = read_sources(name, "code")
    for text in read_sources(name, "markdown"):
        sources += [code for answer in ANSWER.findall(text) for code in CODE_BLOCK.findall(answer)]
    namespace, attributes = {}, []
    for source in sources:
        for node in ast.walk(ast.parse(re.sub(r"^%.*$", "", source, flags=re.MULTILINE))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                if getattr(node, "module", None) == "IPython.display":
                    continue  # comes with Jupyter, which the tests do without
                exec(compile(ast.Module([node], []), name, "exec"), namespace)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                attributes.append((node.value.id, node.attr))
    checked = [
        (module, attribute)
        for module, attribute in attributes
        if isinstance(namespace.get(module), types.ModuleType)
    ]
    missing = [
        f"{module}.{attribute}"
        for module, attribute in checked
        if not hasattr(namespace[module], attribute)
    ]
    assert missing == []
    assert ("lenet_tf", "load_data") in checked or ("lenet_tf", "get_spec") in checked


@pytest.mark.parametrize("name", COURSE)
def test_notebook_has_the_parts_of_a_lesson(name):
    """A lesson asserts its claims and has exercises with hidden answers and a Korean glossary."""
    code, text = (
        "\n".join(read_sources(name, "code")),
        "\n".join(read_sources(name, "markdown")),
    )
    assert len(re.findall(r"^\s*assert ", code, re.MULTILINE)) >= 5
    assert not re.search(r"^\s*(def|class) ", code, re.MULTILINE), "define it in lessons.py"
    assert max(map(len, code.splitlines())) <= 120, "a page cuts longer lines off"
    exercises = text.split("## Exercises")[1].split("## Glossary · 용어")[0]
    assert len(ANSWER.findall(exercises)) == exercises.count("<details>") >= 3
    glossary = text.split("## Glossary · 용어")[1]
    terms = re.findall(r"^\|[^|]+\|([^|]*[가-힣][^|]*)\|[^|]+\|$", glossary, re.MULTILINE)
    assert len(terms) >= 5


@pytest.mark.parametrize("name", CITATION_COUNTS)
def test_cited_results_are_the_measured_ones(name):
    """Every cited mean and deviation is in the results page, which comes from the records."""
    results = find_citations((ROOT / "results" / "README.md").read_text(encoding="utf-8"))
    citations = find_citations("\n".join(read_sources(name, "markdown")))
    assert len(citations) == CITATION_COUNTS[name]
    assert [citation for citation in citations if citation not in results] == []


def test_notebooks_without_citation_counts_cite_nothing():
    others = [name for name in NOTEBOOKS if name not in CITATION_COUNTS]
    citing = [name for name in others if find_citations("\n".join(read_sources(name, "markdown")))]
    assert citing == []


def test_run_executes_answers_and_finds_problems(monkeypatch):
    """A notebook with a wrong answer fails; a path of this machine is a problem."""
    pytest.importorskip("nbclient", reason="install nbclient: `make notebooks` does")
    import nbformat

    monkeypatch.syspath_prepend(str(ROOT / "notebooks"))
    run = importlib.import_module("run")
    answer = "<details><summary>Answer</summary>\n\n```python\nassert two == {}\n```\n\n</details>"
    cells = [
        nbformat.v4.new_code_cell("two = 2\nprint(two)"),
        nbformat.v4.new_markdown_cell(answer.format(2)),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    run.execute_notebook(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["code", "markdown"]
    assert notebook.cells[0].outputs[0].text == "2\n"
    assert run.find_problems(notebook) == []
    notebook.cells[1].source = answer.format(3)
    with pytest.raises(run.CellExecutionError, match="assert two == 3"):
        run.execute_notebook(notebook)
    notebook.cells[0].outputs[0].text = f"in {ROOT}"
    problems = run.find_problems(notebook)
    assert [problem.split(":")[0] for problem in problems] == ["contains a path of this machine"]
    notebook.cells[0].outputs[0].name = "stderr"
    assert run.remove_stderr(notebook) == [f"in {ROOT}"]
    assert run.find_problems(notebook) == []
