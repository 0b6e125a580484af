"""Hostile CSV files: tables of pixels with cells that lie."""

from __future__ import annotations

from random import Random

CELLS = (
    *("", " ", "x", "nan", "inf", "-1", "0.5", "256", "1e400", "9" * 400, "1_0", "٣", "\0"),
    *('"', '"1"', "'1'", "1;2", "0x10", "=1+1", "\x1b[2J", "\ufeff", "a" * 10_000),
)
_LINE_ENDS = ("\n", "\n", "\n", "\r\n", "\n\n", "\r")


def make_csv(random: Random) -> bytes:
    """Returns a table of images of a few pixels, in which some cells are others."""
    pixels = random.choice((4, 4, 4, 9, 12, 5))
    names = [f"pixel{number}" for number in range(pixels)]
    labels = random.choice((("0", "1"), ("1", "2"), ("a", "b"), ("0", "5"), ("0", "0")))
    is_last, has_labels = random.random() < 0.3, random.random() < 0.9
    rows = [["label", *names]] if random.random() < 0.7 else []
    for number in range(random.choice((0, 1, 12, 40))):
        values = [str(random.choice((0, 7, 128, 255))) for _ in names]
        rows.append([labels[number % 2], *values])
    for row in rows:
        if is_last:
            row.append(row.pop(0))
        if not has_labels:
            row.pop(-1 if is_last else 0)
        if random.random() < 0.01:
            row[random.randrange(len(row))] = random.choice(CELLS)
        if random.random() < 0.005:
            row += row[: random.randrange(len(row))]
    end = random.choice(_LINE_ENDS)
    return end.join(",".join(row) for row in rows).encode("utf-8", "replace")
