"""The repository: dependencies, imports, style limits, generated texts and make's targets."""

from __future__ import annotations

import ast
import configparser
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
MODULES = sorted((ROOT / "lenet_tf").rglob("*.py"))
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 250, 50
IMPORT_NAMES = {"sklearn": "scikit-learn", "PIL": "pillow", "google": "protobuf"}
# Texts to read, and folders whose content git ignores.
SUFFIXES = {".cfg", ".ipynb", ".json", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}
IGNORED = re.compile(r"\.venv.*|\.git|\..*cache|.*\.egg-info|build|dist|logs|shared")
# Phrases that plain English replaced. The spaces are patterns, so that this file has none of them.
REPLACED_PHRASES = [
    r"with their\s+errata\s+mended",
    r"is\s+asked;\s+--model",
    r"not\s+to\s+be\s+had",
    r"go\s+on\s+with",
    r"how\s+steps\s+are\s+taken",
    r"probabilities\s+to\s+be\s+believed",
    r"what\s+they\s+remember\s+is\s+lost",
    r"of\s+these\s+another\s+version",
    r"what\s+keras\s+makes\s+of",
    r"leans\s+(towards|nowhere)",
    r"bends\s+each\s+sum",
    r"no\s+difference\s+can\s+be\s+told",
]


def read_requirements(text: str) -> set[str]:
    """Read the normalized package names of a list of requirements."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {re.split(r"[\s<>=\[;]", line)[0].lower().replace("_", "-") for line in lines if line}


def find_imports(path: Path) -> set[str]:
    """Find the top-level packages that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    docstring = function.body[0]
    return lines - (docstring.end_lineno - docstring.lineno + 1)


def find_texts(folder: Path = ROOT) -> Iterator[Path]:
    """Find the text files of the repository."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not IGNORED.fullmatch(path.name):
            yield from find_texts(path)
        elif path.suffix in SUFFIXES or path.name == "Makefile":
            yield path


def run_make(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | variables,
    )


def read_phony_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    return set(re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)[1].split())


def test_every_imported_package_is_declared():
    declared = read_requirements(SETUP["options"]["install_requires"])
    imported = set().union(*map(find_imports, MODULES))
    imported -= {"lenet_tf", "tomllib", *sys.stdlib_module_names}
    packages = {IMPORT_NAMES.get(name, name.replace("_", "-")) for name in imported}
    assert packages <= declared


def test_every_declared_package_is_pinned():
    pinned = read_requirements((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    declared = read_requirements(SETUP["options"]["install_requires"])
    for extra in SETUP["options.extras_require"].values():
        declared |= read_requirements(extra)
    assert declared <= pinned


def test_the_package_and_the_benchmarks_do_not_import_each_other():
    """Only tests, benchmarks and soak use the code of those folders."""
    scripts = {path.stem for path in [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("soak/*.py")]}
    imported = set().union(*map(find_imports, MODULES))
    assert len(scripts) > 20
    assert imported & {"benchmarks", "soak", *scripts} == set()


def test_importing_the_package_imports_no_large_library():
    script = (
        "import sys, lenet_tf\n"
        "assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules)\n"
        "print(*sorted(lenet_tf.__all__))"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    import lenet_tf

    for name in process.stdout.split():
        assert getattr(lenet_tf, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'lenet'"):
        _ = lenet_tf.lenet


def test_dir_lists_public_names_only():
    """Also after modules were loaded: tab completion shows nothing else."""
    import lenet_tf
    import lenet_tf.specs
    from lenet_tf import curvature, inspection, layers, pooling, specs

    modules = {"curvature", "inspection", "layers", "pooling"}
    public = {name for name in dir(lenet_tf) if not name.startswith("__")}
    assert public == {*lenet_tf.__all__, *modules}
    assert {"__doc__", "__version__"} <= set(dir(lenet_tf))
    for module in (curvature, inspection, layers, pooling, specs):
        assert dir(module) == sorted(module.__all__)
    names: dict[str, object] = {}
    exec("from lenet_tf import *", names)
    assert names.keys() - {"__builtins__"} == set(lenet_tf.__all__)


def test_modules_are_short():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path for path, lines in lengths.items() if lines > MAX_MODULE_LINES} == set()


def test_functions_are_short():
    long_functions = [
        f"{path.relative_to(ROOT)}: {node.name} has {count_lines(node)} lines"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and count_lines(node) > MAX_FUNCTION_LINES
    ]
    assert long_functions == []


WRITERS = {
    *("write_text", "write_bytes", "touch", "symlink_to", "hardlink_to", "link", "symlink"),
    *("copy2", "copyfile", "copytree", "move", "mkstemp", "mkdtemp"),
    *("NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "TFRecordWriter"),
    *("rename", "savez", "savez_compressed", "savetxt", "to_csv", "savefig", "save", "mkdir"),
}
# The writers of memory, of open files and of private folders, and the folders that are made where
# the user says.
ALLOWED_WRITERS = {
    ("data/sources/cache.py", "savez"),
    ("evaluation/html_pages.py", "savefig"),
    # Into memory.
    ("evaluation/page_images.py", "save"),
    ("evaluation/plotting.py", "savefig"),
    ("data/sources/tfds_preparation.py", "mkdir"),
    ("data/sources/tfds_preparation.py", "rename"),
    # TensorFlow's own, into a private folder.
    ("inference/export/graph.py", "save"),
    ("reproduce/generated_files.py", "mkdir"),
    ("reproduce/records.py", "mkdir"),
    ("reproduce/worker.py", "mkdir"),
    ("runs/checkpoints.py", "ZipFile"),
    ("runs/checkpoints.py", "save"),
    ("runs/kernel_history.py", "savez"),
    ("runs/run_folder.py", "mkdir"),
    # Has no name.
    ("runtime/startup_log.py", "TemporaryFile"),
    # Keras' own method, which a user calls.
    ("models/lenet.py", "save"),
    ("models/saving.py", "ZipFile"),
    ("pretrained/writing.py", "ZipFile"),
    ("scheduling/dask_attempt.py", "mkdir"),
    # Standard output.
    ("scheduling/job_main.py", "fdopen"),
    ("scheduling/job_process.py", "mkdir"),
    ("sweep/run.py", "mkdir"),
    ("sweep/trial_job.py", "mkdir"),
    ("training/tensorboard/projector.py", "save"),
    ("training/tensorboard/projector.py", "savetxt"),
}


def find_writers(path: Path) -> Iterator[str]:
    """Find the calls of a module that write to files without `lenet_tf.io`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        owner = getattr(getattr(function, "value", None), "id", "")
        is_from_io = isinstance(function, ast.Name) or owner == "atomic"
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        texts = [str(value.value) for value in values if isinstance(value, ast.Constant)]
        is_writing = any(re.fullmatch("[wax][bt+]*|r[bt]?[+][bt]?", text) for text in texts)
        is_open = name in ("open", "fdopen", "ZipFile", "GFile") and is_writing
        if is_open or (name in WRITERS and not (name == "write_text" and is_from_io)):
            yield name


def test_only_one_place_writes_files():
    """Elsewhere a temporary name could be guessed, and a link in its place followed."""
    package = ROOT / "lenet_tf"
    found = {
        (path.relative_to(package).as_posix(), name)
        for path in MODULES
        if path.parent != package / "io"
        for name in find_writers(path)
    }
    assert found == ALLOWED_WRITERS


def test_no_text_has_a_phrase_that_plain_english_replaced():
    phrases = re.compile("|".join(REPLACED_PHRASES), re.IGNORECASE)
    texts = {path: path.read_text(encoding="utf-8") for path in find_texts()}
    assert len(texts) > 200
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in texts.items()
        for match in phrases.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "benchmark", ["speed", "fast", "scale", "step_profile", "choices", "board"]
)
def test_readme_has_the_committed_results_of_each_benchmark(benchmark, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = importlib.import_module(benchmark)
    result = json.loads(module.RESULT.read_text(encoding="utf-8"))
    assert module.render_markdown(result) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_exports_has_the_committed_results(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = importlib.import_module("export")
    if not module.RESULT.is_file():
        pytest.skip("benchmarks/export.py has not been run")
    result = json.loads(module.RESULT.read_text(encoding="utf-8"))
    assert module.PAGE.read_text(encoding="utf-8") == module.render_markdown(result)


@pytest.mark.parametrize("part", ["kills", "disasters", "fuzz", "runs", "threads"])
def test_the_soak_page_has_the_committed_results(part, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "soak"))
    module = importlib.import_module("tables")
    page = (ROOT / "docs" / "soak.md").read_text(encoding="utf-8")
    assert getattr(module, f"render_{part}")() in page


def test_make_help_lists_every_target():
    process = run_make("help")
    assert process.returncode == 0
    listed = set(re.findall(r"^([a-z-]+) +\w", process.stdout, re.MULTILINE))
    targets = read_phony_targets()
    assert len(targets) > 15
    assert listed == targets


def test_make_passes_its_variables_to_the_command():
    """From the command line, spaces and all, and not from the environment."""
    process = run_make(
        *("--dry-run", "train", "VARIANT=cnn-38k", "DATA=fashion_mnist", "EPOCHS=5"),
        *("BATCH_SIZE=64", "SEED=3", "DEVICE=cpu", "LOGS=else where", "ARGS=--quiet"),
        VARIANT="prod",
        DATA="/mnt",
        ORIGINALS="/mnt",
    )
    (command,) = [
        shlex.split(line) for line in process.stdout.splitlines() if "lenet-tf train" in line
    ]
    expected = (
        "train cnn-38k --logs 'else where' --data fashion_mnist --epochs 5 --batch-size 64"
        " --seed 3 --device cpu --quiet"
    )
    assert command[1:] == shlex.split(expected)


def test_make_refuses_a_mistyped_variable():
    process = run_make("--dry-run", "train", "EPOCH=1")
    assert process.returncode != 0
    assert "unknown variable EPOCH: choose from PYTHON" in process.stderr
