"""What is made of the records: results/README.md, the section of the README beside it, and the figure. Nothing in them is typed."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lenet_tf import files
from lenet_tf.errors import RunError
from lenet_tf.reproduce import records
from lenet_tf.reproduce.plan import COMPARISONS, ROWS, Comparison, Row
from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.spread import paired, spread

BEGIN, END = "<!-- made by `lenet-tf reproduce` from results/reproduce -->", "<!-- as far as here -->"
FIGURE = "reproduction.png"
_HOW = (
    "Made by `lenet-tf reproduce` from the records in `reproduce/`, one line a run; `lenet-tf reproduce --check` fails where this page is"
    " not what they say. `lenet-tf reproduce ROW --seeds N` makes runs anew and holds them against their records. Everything tuned was"
    " tuned on images held back from the training set; the test images are read once a run, after the last epoch, but for `lenet5` and"
    " `lenet5-divided-twice`, which validate on them because the tutorial does."
)
# What the tutorial claims as its validation accuracy.
_CLAIM = 0.9871


def listing(results: Path, rows: Sequence[Row]) -> str:
    """A line for each row: its name, how many of its runs are recorded, what it is."""
    width = max(len(row.name) for row in rows)
    return "\n".join(f"{row.name:<{width}}  {len(records.read(results, row)):>2} of {row.seeds:>2}  {row.title}" for row in rows)


def write(results: Path) -> list[Path]:
    """Makes all anew; gives what has changed. Raises `RunError` where that cannot be written."""
    from lenet_tf.report import pictures

    changed = stale(results)
    for path in changed:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.name == FIGURE:
                known = _all(results)
                pictures.save(pictures.reproduction_picture(_drawn(known)), path, {"records": _digest(known)})
                continue
            text = _results_page(results) if path.parent == results else _with_section(path.read_text(encoding="utf-8"), results)
            with files.whole(path) as partial:
                partial.write_text(text, encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    return changed


def stale(results: Path) -> list[Path]:
    """The files that are not what the records say; raises `RunError` for records that cannot be read or are not the plan's."""
    page, readme, figure = results / "README.md", results.parent / "README.md", results / FIGURE
    found = [] if _text(page) == _results_page(results) else [page]
    text = _text(readme)
    if BEGIN in text and text != _with_section(text, results):
        found.append(readme)
    return found if _noted(figure) == _digest(_all(results)) else [*found, figure]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _noted(figure: Path) -> str | None:
    """The digest that a figure was made for. Pillow: the standard reader of pictures."""
    from PIL import Image

    try:
        with Image.open(figure) as image:
            return image.info.get("records")
    except OSError:
        return None


def _all(results: Path) -> dict[str, list[Record]]:
    return {row.name: records.read(results, row) for row in ROWS}


def _drawn(known: dict[str, list[Record]]) -> list[dict[str, Any]]:
    """What the figure shows: of each row that has runs and no other scale than the others the test errors in % and the published one."""
    rows = [row for row in ROWS if known[row.name] and row.name != "lenet5-divided-twice"]
    return [
        {"name": row.name, "errors": _errors(known[row.name]), "published": row.published, "by": row.by, "target": row.target}
        for row in rows
    ]


def _digest(known: dict[str, list[Record]]) -> str:
    return hashlib.sha256(json.dumps(_drawn(known)).encode()).hexdigest()[:16]


def _errors(found: Sequence[Record]) -> list[float]:
    """Test errors in %."""
    return [100 * (1 - record["test"]["accuracy"]) for record in found]


def _with_section(text: str, results: Path) -> str:
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    known = _all(results)
    parts = [_table(known), f"![Test errors of all runs against the published numbers]({results.name}/{FIGURE})", _comparisons(known)]
    parts += [_claim(known["lenet5"]), _missed(known, brief=True)]
    return f"{before}{BEGIN}\n\n" + "\n\n".join(part for part in parts if part) + f"\n\n{END}{after}"


def _results_page(results: Path) -> str:
    known = _all(results)
    parts = [
        "# Results",
        _HOW,
        "## Published numbers and ours",
        _table(known),
        f"![Test errors of all runs against the published numbers]({FIGURE})",
        _claim(known["lenet5"]),
        _notes(known),
        "## Claims, seed by seed",
        _comparisons(known),
        _shifted(known),
        "## Targets that were missed",
        _missed(known) or "None, among the rows that have been run.",
        "## Where and how",
        _provenance(known),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(known: dict[str, list[Record]]) -> str:
    lines = [
        "| row | what | published test error, % | ours, %: mean ± sd (least–most) | runs | target, % | s an epoch, one core |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        found = known[row.name]
        errors = _errors(found)
        published = f"{row.published:g} ({row.by})" if row.published is not None else "–"
        target = "–"
        if row.target is not None:
            met = "" if not errors else ", met" if statistics.mean(errors) <= row.target else ", **missed**"
            target = f"≤ {row.target:.2f}{met}"
        seconds = f"{statistics.median(record['seconds_per_epoch'] for record in found):.1f}" if found else "–"
        runs = f"{len(found)}" if len(found) >= row.seeds else f"{len(found)} of {row.seeds}"
        lines.append(f"| `{row.name}` | {row.title} | {published} | {spread(errors)} | {runs} | {target} | {seconds} |")
        if row.best_epoch and found:
            best = [100 * (1 - max(record["epochs"]["val_accuracy"])) for record in found]
            lines.append(
                f"| | … its best epoch, picked on the test images as the tutorial does | {published} | {spread(best)} | {runs} | – | |"
            )
    return "\n".join(lines)


def _claim(found: Sequence[Record]) -> str:
    """Where the tutorial's 98.71% lies."""
    if not found:
        return ""
    last = [record["test"]["accuracy"] for record in found]
    best = [max(record["epochs"]["val_accuracy"]) for record in found]
    return (
        f"The tutorial claims {_CLAIM:.2%}. After the last epoch {sum(a >= _CLAIM for a in last)} of {len(found)} seeds reach that"
        f" (at most {max(last):.2%}); the best of ten epochs, picked on the test images, does for {sum(a >= _CLAIM for a in best)}"
        f" (mean {statistics.mean(best):.2%}, {min(best):.2%}–{max(best):.2%})."
    )


def _notes(known: dict[str, list[Record]]) -> str:
    return "\n".join(f"- `{row.name}`: {row.note}." for row in ROWS if row.note and known[row.name])


def _pairs(known: dict[str, list[Record]], comparison: Comparison) -> list[tuple[float, float]]:
    """For each seed that both have: (the first's accuracy, the second's) in %."""

    def values(name: str) -> dict[int, float]:
        if comparison.shift:
            return {record["seed"]: 100 * record["test"]["shifted"][str(comparison.shift)] for record in known[name]}
        return {record["seed"]: 100 * record["test"]["accuracy"] for record in known[name]}

    better, worse = values(comparison.better), values(comparison.worse)
    return [(better[seed], worse[seed]) for seed in sorted(better.keys() & worse.keys())]


def _comparisons(known: dict[str, list[Record]]) -> str:
    lines = [
        "| claim | from | first | second | difference of test accuracy, points (95% interval) | seeds | so |",
        "|---|---|---|---|---|---|---|",
    ]
    for comparison in COMPARISONS:
        pairs = _pairs(known, comparison)
        if len(pairs) < 2:
            continue
        result = paired(pairs)
        lines.append(
            f"| {comparison.claim} | {comparison.source}"
            f" | `{comparison.better}` {result.first:.2f}% | `{comparison.worse}` {result.second:.2f}%"
            f" | {result.difference:+.2f} ({result.low:+.2f} to {result.high:+.2f}), p = {result.p:.2g} | {len(pairs)} | {result.verdict} |"
        )
    return "\n".join(lines) if len(lines) > 2 else ""


def _shifted(known: dict[str, list[Record]]) -> str:
    rows = [row for row in ROWS if row.shifted and known[row.name]]
    if not rows:
        return ""
    shifts = sorted({by for row in rows for by in known[row.name][0]["test"]["shifted"]}, key=int)
    lines = [
        "Test accuracy in % on digits shifted up, down, left and right by so many pixels, mean ± sd over seeds:",
        "",
        f"| row | 0 | {' | '.join(shifts)} |",
        "|---|---|" + "---|" * len(shifts),
    ]
    for row in rows:
        found = known[row.name]
        cells = [spread([100 * record["test"]["accuracy"] for record in found], brief=True)]
        cells += [spread([100 * record["test"]["shifted"][by] for record in found], brief=True) for by in shifts]
        lines.append(f"| `{row.name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _missed(known: dict[str, list[Record]], brief: bool = False) -> str:
    missed = [row for row in ROWS if row.target is not None and known[row.name] and statistics.mean(_errors(known[row.name])) > row.target]
    if brief:
        names = ", ".join(f"`{row.name}`" for row in missed)
        return f"Missed: {names}; what was tried is in [results/README.md](results/README.md)." if missed else ""
    means = [statistics.mean(_errors(known[row.name])) for row in missed]
    return "\n".join(
        f"- `{row.name}`: {mean:.2f}%, target at most {row.target:.2f}%. {row.tried}".rstrip()
        for row, mean in zip(missed, means, strict=True)
    )


def _provenance(known: dict[str, list[Record]]) -> str:
    """Machines, versions, commits and data of the records, with how many runs each has."""
    found = [record for row in ROWS for record in known[row.name]]
    if not found:
        return "Nothing has been run."

    def machine(record: Record) -> str:
        here, version = record["machine"], record["versions"]
        return (
            f"{here['processor']}, {here['cores']} cores, {', '.join(here['features'])}, {here['system']}; Python {version['python']},"
            f" TensorFlow {version['tensorflow']}, Keras {version['keras']}, NumPy {version['numpy']}"
        )

    def counted(values: Sequence[str]) -> list[str]:
        return [f"  - {value}: {values.count(value)} runs" for value in dict.fromkeys(values)]

    data = [f"{record['data']['name']} {record['data']['version']}, SHA-256 {record['data']['sha256'][:16]}…" for record in found]
    hours = sum(record["seconds"] for record in found) / 3600
    lines = [
        f"- {len(found)} runs, {hours:.1f} hours of one core each.",
        "- Machines and versions:",
        *counted([machine(record) for record in found]),
    ]
    lines += ["- Commits:", *counted([str(record.get("commit")) for record in found]), "- Data:", *counted(data)]
    return "\n".join(lines)
