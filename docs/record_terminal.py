"""Record a command in a terminal of 80 columns as an animated SVG.

`.venv/bin/python docs/record_terminal.py docs/train.svg make train` makes the recording in README.
Every picture of it is what an emulated terminal showed at that time. It plays faster than it was
recorded, and says so. Programs that don't play it show the end.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from terminals import Terminal

COLUMNS = 80
# Seconds of the animation, the pause at its end, and the shortest time that a text is shown.
PLAYED, PAUSE, SHORTEST = 24.0, 6.0, 0.05
CELL, LINE, MARGIN, TITLE = 9.0, 20, 16, 40
COLORS = {"green": "#3fb950", "brightblack": "#484f58", "default": "#e6edf3"}
PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>{title}</title>
<style>
text {{ font: 15px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre }}
.t {{ fill: #8b949e; text-anchor: end }}
.h {{ visibility: hidden }}
g {{ animation: {seconds:.2f}s step-end infinite }}
{keyframes}
@media (prefers-reduced-motion: reduce) {{ g {{ animation: none !important }} }}
</style>
<rect width="{width}" height="{height}" rx="10" fill="#0d1117" stroke="#30363d"/>
<circle cx="22" cy="20" r="6" fill="#ff5f56"/><circle cx="42" cy="20" r="6" fill="#ffbd2e"/>
<circle cx="62" cy="20" r="6" fill="#27c93f"/>
<text class="t" x="{right}" y="25">{title}</text>
{lines}
</svg>
"""


class Shown(NamedTuple):
    """A line of the terminal that stayed the same for a while.

    Attributes:
        row: Its place, counted from 0.
        parts: Column, text and color of its parts.
        start: When it appeared, in seconds.
        end: When it changed.
    """

    row: int
    parts: tuple[tuple[int, str, str], ...]
    start: float
    end: float


def record(command: list[str]) -> tuple[list[Shown], float]:
    """Run a command; return what it showed and how many seconds it took."""
    script = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
    terminal = Terminal("-c", script, *command, folder=Path.cwd(), columns=COLUMNS)
    terminal.feed(f"$ {' '.join(command)}\r\n".encode())
    shown: list[Shown] = []
    current: dict[int, tuple[float, tuple]] = {}
    start, is_running = time.monotonic(), True
    while is_running:
        now = time.monotonic() - start
        for row in range(terminal.screen.lines):
            parts = tuple(read_parts(terminal, row))
            since, before = current.get(row, (now, ()))
            if parts != before:
                shown.append(Shown(row, before, since, now))
                current[row] = now, parts
        is_running = terminal.read(60)
    seconds = time.monotonic() - start
    if terminal.finish():
        raise SystemExit(f"{' '.join(command)} failed:\n{terminal.text}")
    shown += [Shown(row, parts, since, seconds) for row, (since, parts) in current.items()]
    return [each for each in shown if each.parts], seconds


def read_parts(terminal: Terminal, row: int) -> Iterator[tuple[int, str, str]]:
    """Yield the column, text and color of the parts of a line."""
    cells = [terminal.screen.buffer[row][column] for column in range(COLUMNS)]
    for color, group in groupby(enumerate(cells), key=lambda cell: cell[1].fg):
        part = list(group)
        text = "".join(cell.data for _, cell in part)
        if text.strip():
            start = len(text) - len(text.lstrip())
            yield part[0][0] + start, text.strip(), color


def render(shown: list[Shown], seconds: float, command: list[str]) -> str:
    """Return the animated SVG."""
    speed = max(1, round(seconds / PLAYED))
    total = seconds / speed + PAUSE
    rows = 1 + max(each.row for each in shown)
    names: dict[tuple[str, str], str] = {}
    lines = []
    for each in shown:
        is_last = each.end == seconds
        if (each.end - each.start) / speed < SHORTEST and not is_last:
            continue
        times = (
            f"{each.start / speed / total:.3%}",
            "" if is_last else f"{each.end / speed / total:.3%}",
        )
        name = names.setdefault(times, f"k{len(names)}")
        texts = "".join(render_part(each.row, *part) for part in each.parts)
        lines.append(
            f'<g class="{"" if is_last else "h"}" style="animation-name:{name}">{texts}</g>'
        )
    keyframes = []
    for (first, last), name in names.items():
        hidden = "" if first == "0.000%" else "0%{visibility:hidden}"
        end = f"{last}{{visibility:hidden}}" if last else ""
        keyframes.append(f"@keyframes {name}{{{hidden}{first}{{visibility:visible}}{end}}}")
    width = round(COLUMNS * CELL + 2 * MARGIN)
    pace = f", {speed} times as fast as recorded" if speed > 1 else ""
    return PAGE.format(
        width=width,
        height=TITLE + rows * LINE + MARGIN,
        right=width - MARGIN,
        title=escape(f"{' '.join(command)} in a terminal of {COLUMNS} columns{pace}"),
        seconds=total,
        keyframes="\n".join(keyframes),
        lines="\n".join(lines).replace('class="" ', ""),
    )


def render_part(row: int, column: int, text: str, color: str) -> str:
    """Return a part of a line, as wide as its cells in any font."""
    x, y = MARGIN + column * CELL, TITLE + row * LINE + 15
    fill = COLORS.get(color, COLORS["default"])
    return (
        f'<text x="{x:g}" y="{y}" textLength="{len(text) * CELL:g}" '
        f'lengthAdjust="spacingAndGlyphs" fill="{fill}">{escape(text)}</text>'
    )


def main() -> None:
    """Record the command and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    shown, seconds = record(arguments.command)
    arguments.file.write_text(render(shown, seconds, arguments.command), encoding="utf-8")


if __name__ == "__main__":
    main()
