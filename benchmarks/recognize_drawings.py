"""Save the made-up drawings of the tests as PNG files, and count the digits that are recognized.

Each file's name ends with its digit. The predictions come from `lenet-tf predict` in a process of
its own. Usage: drawings.py FOLDER [--seed 0] [OPTION OF lenet-tf predict]…
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from drawings import draw_digits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options, more = parser.parse_known_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, _, picture in draw_digits(options.seed):
        picture.save(options.folder / f"{name}.png")
    start = time.perf_counter()
    command = [sys.executable, "-m", "lenet_tf", "predict", str(options.folder), "--csv", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - start
    rows = list(csv.DictReader(done.stdout.splitlines()))
    wrong = [row for row in rows if row["class"] != Path(row["file"]).stem[-1]]
    for row in wrong:
        print(Path(row["file"]).name, row["class"] or row["error"])
    correct = len(rows) - len(wrong)
    print(f"{correct} of {len(rows)} correct ({correct / len(rows):.1%}) in {seconds:.2f} s")


if __name__ == "__main__":
    main()
