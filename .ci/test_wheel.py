#!/usr/bin/env python3
"""Install the wheel into a clean environment and follow the README there: `make test-wheel`.

Usage: test_wheel.py [--python PYTHON] [--keep FOLDER]. It builds the wheel and the sdist and checks
what is in them. Then it makes a new environment with the newest versions of all dependencies, as a
user's pip does, and trains, predicts, reports and evaluates outside the checkout. A command that
prints a traceback or a warning fails. The test needs a network and 3 GB of disk.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPLAINT = re.compile(r"Traceback|[Ww]arning|WARNING|^[IWE]\d{4} ", re.MULTILINE)
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
# As in the README: a picture, a few lines of Python.
DRAW = (
    "import lenet_tf; from PIL import Image\n"
    "data = lenet_tf.load_data('sample')\n"
    "image = Image.fromarray(255 - data.x_test[0, :, :, 0])\n"
    "image.resize((280, 280)).save('digit.png'); print(data.y_test[0])"
)
PYTHON_LINES = """
import lenet_tf
data = lenet_tf.load_data("sample")
run = lenet_tf.fit("lenet5", data, epochs=1, seed=0)
print(run.metrics["test_accuracy"])
print(lenet_tf.predict_outputs(run, data.x_test).argmax(axis=1)[:5])
digit = lenet_tf.as_digit(lenet_tf.read_picture("digit.png"))
print(lenet_tf.predict_outputs(run, digit[None]).shape)
lenet_tf.load_model(run.path).summary()
"""
# Digits as users might draw them, in fonts that matplotlib brings.
DRAW_MANY = """
import matplotlib
from pathlib import Path
from PIL import Image, ImageDraw, ImageFont
fonts = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "STIXGeneral", "cmss10")
Path("drawings").mkdir()
for font in fonts:
    for digit in range(10):
        path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
        sheet = Image.new("RGB", (160, 180), (245, 240, 225))
        face = ImageFont.truetype(str(path), 90 + digit)
        ImageDraw.Draw(sheet).text((50, 30), str(digit), fill=(40, 40, 90), font=face)
        sheet.save(Path("drawings", f"{font}-{digit}.png"))
"""
COUNT = """
import lenet_tf
found = lenet_tf.predict("drawings")
right = sum(each.file.stem[-1] == str(each.label) for each in found)
print(f"RESULT {right} of {len(found)} drawings are recognized")
assert right >= 0.95 * len(found), [(each.file.name, each.answer) for each in found]
"""
# The largest wheel, in megabytes.
MAX_WHEEL_MB = 3
COMMANDS = (
    ("lenet-tf", "--version"),
    ("lenet-tf", "--help"),
    ("lenet-tf", "variants"),
    ("lenet-tf", "presets"),
    ("lenet-tf", "summary", "lenet5"),
    # Before any training.
    ("python", "-c", DRAW),
    ("lenet-tf", "predict", "digit.png"),
    ("lenet-tf", "predict", "digit.png", "--json"),
    ("python", "-c", DRAW_MANY),
    ("lenet-tf", "predict", "drawings"),
    ("lenet-tf", "page", "--data", "sample"),
    ("python", "-c", COUNT),
    ("lenet-tf", "train", "--data", "sample", "--epochs", "1"),
    ("lenet-tf", "predict", "digit.png", "--model", "latest", "--show"),
    ("lenet-tf", "evaluate", "RUN", "--report"),
    ("lenet-tf", "report", "RUN"),
    ("lenet-tf", "page", "RUN", "--output", "run.html"),
    ("lenet-tf", "reproduce", "--list"),
    ("python", "-m", "lenet_tf", "--version"),
    ("python", "-c", PYTHON_LINES),
)


def build(python: str, folder: Path) -> Path:
    """Build the wheel and the sdist from a copy of the tracked files, and return the wheel."""
    source, names = folder / "source", ["git", "ls-files", "-z"]
    listed = subprocess.run(names, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, os.fsdecode(listed).split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    tools = folder / "tools"
    subprocess.run([python, "-m", "venv", str(tools)], check=True)
    run_python = str(tools / SCRIPTS / "python")
    subprocess.run([run_python, "-m", "pip", "install", "--quiet", "build"], check=True)
    command = [run_python, "-m", "build", "--outdir", str(folder / "dist"), str(source)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    missing = {"setup.cfg", "pyproject.toml", "LICENSE", "lenet_tf/py.typed"} - members
    assert not missing, f"the sdist lacks {missing}"
    return wheel


def check_content(wheel: Path) -> None:
    """Fail unless the wheel holds each file of the package, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        files = {info.filename: info.file_size for info in archive.infolist()}
    kinds = ("*.py", "py.typed", "*.j2", "records/*.jsonl", "records/*.predictions")
    kinds += tuple(f"presets/*.{suffix}" for suffix in ("keras", "json", "md", "npz"))
    kinds += ("c_kernels/*", "detector/*.keras", "detector/*.json", "page/**/*.js", "page/**/*.css")
    expected = {
        path.relative_to(ROOT).as_posix()
        for kind in kinds
        for path in (ROOT / "lenet_tf").rglob(kind)
    }
    found = {name for name in files if ".dist-info/" not in name}
    assert found == expected, f"missing or foreign files: {sorted(found ^ expected)}"
    size = wheel.stat().st_size / 1e6
    print(
        f"{wheel.name}: {len(files)} files, {size:.1f} MB, {sum(files.values()) / 1e6:.1f} unpacked"
    )
    assert size <= MAX_WHEEL_MB, f"the wheel has {size:.1f} MB, more than {MAX_WHEEL_MB}"


def measure_folder(folder: Path) -> int:
    """Return the megabytes of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) // 10**6


def install(python: str, wheel: Path, environment: Path) -> None:
    """Install the wheel as a user does, and print the seconds and megabytes."""
    subprocess.run([python, "-m", "venv", "--clear", str(environment)], check=True)
    command = [str(environment / SCRIPTS / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - start
    print(f"installed in {seconds:.0f} s, {measure_folder(environment):,} MB", flush=True)


def follow_readme(environment: Path, folder: Path) -> None:
    """Run the commands in an empty folder, and fail at the first that complains."""
    folder.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for program, *arguments in COMMANDS:
        command = [str(environment / SCRIPTS / program)]
        command += [find_run(folder) if word == "RUN" else word for word in arguments]
        shown = " ".join([program, *arguments]).splitlines()[0] or program
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True)
        output = (done.stdout + done.stderr).decode(errors="replace").replace("\r\n", "\n")
        complaint = COMPLAINT.search(output)
        is_fine = done.returncode == 0 and complaint is None
        seconds = time.perf_counter() - start
        print(f"{'ok' if is_fine else 'FAILED'} {seconds:5.2f} s  {shown}", flush=True)
        for result in re.findall("^RESULT (.*)", output, re.MULTILINE):
            print(f"            {result}", flush=True)
        if not is_fine:
            raise SystemExit(f"exit code {done.returncode}\n{output}")


def find_run(folder: Path) -> str:
    """Return the run folder of the first training."""
    return str(min((folder / "logs" / "fit").iterdir()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="builds and runs the environment")
    parser.add_argument("--keep", type=Path, help="a new folder to keep the environment in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=os.name == "nt") as name:
        folder = options.keep or Path(name)
        folder.mkdir(exist_ok=True)
        wheel = build(options.python, folder)
        check_content(wheel)
        install(options.python, wheel, folder / "environment")
        follow_readme(folder / "environment", folder / "elsewhere")


if __name__ == "__main__":
    main()
