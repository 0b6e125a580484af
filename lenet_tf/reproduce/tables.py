"""What is made of the records: results/README.md, the section of the READMEs beside it, the page of hard images, and the figures.

Typed are the plan's notes and the sentences of `pages`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.io import atomic
from lenet_tf.reproduce import hard_images, markdown
from lenet_tf.reproduce.plan import ROWS, TableRow
from lenet_tf.reproduce.predictions import Predictions
from lenet_tf.reproduce.records import Record, RecordStore

BEGIN, END = (
    "<!-- made by `lenet-tf reproduce` from lenet_tf/reproduce/records -->",
    "<!-- as far as here -->",
)
FIGURE = "reproduction.png"
# To be raised when the figure is drawn in another way.
_DRAWING = 2
_TITLE = "# Results of `lenet-tf reproduce`"


def plan_table(store: RecordStore, rows: Sequence[TableRow]) -> str:
    """A line for each row: its name, how many of its runs are recorded, what it is."""
    width = max(len(row.name) for row in rows)
    return "\n".join(
        f"{row.name:<{width}}  {len(store.read(row)):>2} of {row.seeds:>2}  {row.title}"
        for row in rows
    )


def write_tables(store: RecordStore) -> list[Path]:
    """Makes all anew; gives what has changed. Raises `RunError` where that cannot be written."""
    changed = find_stale(store)
    for path in changed:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".png":
                _draw(store, path)
                continue
            with atomic.atomic_write(path) as partial:
                partial.write_text(_made(store, path), encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    return changed


def find_stale(store: RecordStore) -> list[Path]:
    """The files that are not what the records say; raises `RunError` for records that cannot be read or are not the plan's."""
    known, votes, results = _all(store), _votes(store), store.pages
    if results is None:
        return []
    page = results / "README.md"
    if _text(page) and not _text(page).startswith(_TITLE):
        raise RunError(f"{page} is a page of somebody's own: choose another folder with --results")
    texts = [page, *([results / hard_images.PAGE] if votes else [])]
    # README.ko.md has the same section.
    for readme in sorted(
        (results / ".." if results.parent == results else results.parent).glob("README*.md")
    ):
        text = _text(readme)
        marks = text.count(BEGIN), text.count(END)
        if marks not in ((0, 0), (1, 1)) or text.find(BEGIN) > text.find(END):
            raise RunError(
                f"{readme}: the lines {BEGIN!r} and {END!r} must stand in it once each and in this order, or not at all"
            )
        texts += [readme] if BEGIN in text else []
    found = [path for path in texts if _text(path) != _made(store, path)]
    drawn = {results / FIGURE: _digest(known)}
    drawn |= {
        results / hard_images.figure_name(each.data): hard_images.votes_digest(each)
        for each in votes
        if each.hardest()
    }
    return found + [path for path, digest in drawn.items() if _noted(path) != digest]


def _made(store: RecordStore, path: Path) -> str:
    """What a page must say."""
    if path == store.pages / "README.md":
        return _results_page(store)
    return (
        hard_images.render_page(_votes(store))
        if path.name == hard_images.PAGE
        else _with_section(_text(path), store)
    )


def _draw(store: RecordStore, path: Path) -> None:
    from lenet_tf.evaluation import plotting
    from lenet_tf.reproduce import reproduction_figure

    if path.name == FIGURE:
        known = _all(store)
        plotting.save_figure(
            reproduction_figure.plot_reproduction(_drawn(known)), path, {"records": _digest(known)}
        )
        return
    from lenet_tf.data.sources import load_data

    (votes,) = [each for each in _votes(store) if path.name == hard_images.figure_name(each.data)]
    raw = load_data(votes.data)
    if not np.array_equal(raw.y_test, votes.labels):
        raise RunError(
            f"{path} cannot be drawn: the test images of {votes.data} here are not those of the records"
        )
    plotting.save_figure(
        hard_images.votes_figure(votes, raw.x_test),
        path,
        {"records": hard_images.votes_digest(votes)},
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error


def _noted(figure: Path) -> str | None:
    """The digest that a figure was made for. Pillow: the standard reader of pictures."""
    from PIL import Image

    try:
        with Image.open(figure) as image:
            return image.info.get("records")
    except OSError:
        return None


def _all(store: RecordStore) -> dict[str, list[Record]]:
    return {row.name: store.read(row) for row in ROWS}


def _predictions(store: RecordStore) -> dict[TableRow, Predictions]:
    return {row: store.read_predictions(row) for row in ROWS}


def _by_name(store: RecordStore) -> dict[str, Predictions]:
    return {row.name: each for row, each in _predictions(store).items()}


def _votes(store: RecordStore) -> list[hard_images.Votes]:
    return hard_images.count_votes(_predictions(store))


def _drawn(known: dict[str, list[Record]]) -> list[dict[str, Any]]:
    """What the figure shows: of each row that has runs and no other scale than the others the test errors in % and the published one."""
    rows = [row for row in ROWS if known[row.name] and row.name != "lenet5-divided-twice"]
    return [
        {
            "name": row.name,
            "errors": markdown.errors_of(known[row.name]),
            "published": row.published,
            "by": row.by,
            "target": row.target,
        }
        for row in rows
    ]


def _digest(known: dict[str, list[Record]]) -> str:
    return hashlib.sha256(json.dumps([_DRAWING, _drawn(known)]).encode()).hexdigest()[:16]


def _with_section(text: str, store: RecordStore) -> str:
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    known = _all(store)
    parts = [
        markdown.table(known),
        markdown.SAMPLED,
        f"![Test errors of all runs against the published numbers]({store.pages.name}/{FIGURE})",
        markdown.comparisons(known, _by_name(store)),
    ]
    parts += [markdown.claim(known.get("lenet5", [])), markdown.missed(known, brief=True)]
    return (
        f"{before}{BEGIN}\n\n" + "\n\n".join(part for part in parts if part) + f"\n\n{END}{after}"
    )


def _results_page(store: RecordStore) -> str:
    known = _all(store)
    parts = [
        f"{_TITLE}\n\n{markdown.HOW}",
        "## Published numbers and ours",
        markdown.table(known),
        markdown.SAMPLED,
        f"![Test errors of all runs against the published numbers]({FIGURE})",
        markdown.claim(known.get("lenet5", [])),
        f"The test images that most networks get wrong, with the votes: [{hard_images.PAGE}]({hard_images.PAGE})."
        if _votes(store)
        else "",
        markdown.notes(known),
        "## Claims, seed by seed",
        markdown.comparisons(known, _by_name(store)),
        markdown.shifted(known),
        "## Targets that were missed",
        markdown.missed(known) or "None, among the rows that have been run.",
        "## Where and how",
        markdown.recipes(known),
        "The departures of the networks of 1998 from the paper are in [README.md](../README.md#departures-from-the-1998-paper).",
        markdown.provenance(known),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
