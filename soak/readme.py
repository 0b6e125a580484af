"""The tables of docs/soak.md, made from what the soak's scripts left in results/: python soak/readme.py"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"


def read(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def kills() -> str:
    result = read("kills")
    by_signal, by_moment = (
        ", ".join(
            f"{name} {count}"
            for name, count in sorted(result[by].items(), key=lambda item: -item[1])
        )
        for by in ("by signal", "by moment")
    )
    differing, unreadable = len(result["differing"]), len(result["unreadable"])
    return (
        f"{result['kills']} kills ({by_signal}) of {result['runs']} runs, each gone on with to its end: {differing} differing weights,"
        f" histories or TensorBoard tags, {unreadable} unreadable files. Moments: {by_moment}."
    )


def disasters() -> str:
    return table(
        ["what happened", "how the process ended", "what is left"],
        [list(row.values()) for row in read("disasters")],
    )


def fuzz() -> str:
    heads = [
        "reader",
        "inputs",
        "read",
        "refused",
        "crashes",
        "hangs over 5 s",
        "slowest, s",
        "peak MiB above the start",
    ]
    rows = [
        [
            line["reader"],
            f"{line['inputs']:,}",
            f"{line['accepted']:,}",
            f"{line['refused']:,}",
            line["crashes"],
            line["hangs"],
            f"{line['slowest_s']:.2f}",
            f"{line['peak_mib_over_base']:.0f}",
        ]
        for line in read("fuzz")
    ]
    keras = read("fuzz_keras")
    for name, layer in keras["layers"].items():
        crashes, hangs = (
            sum(text.startswith(f"{name} ") for text in keras[kind])
            for kind in ("crashes", "hangs")
        )
        counts = [
            f"{layer['inputs']:,}",
            f"{layer['read']:,}",
            f"{layer['inputs'] - layer['read']:,}",
            crashes,
            hangs,
        ]
        rows.append(
            [f".keras, {name}", *counts, f"{layer['slowest']:.2f}", f"{keras['memory_mib']:.0f}"]
        )
    return table(heads, rows)


if __name__ == "__main__":
    for part in (kills, disasters, fuzz):
        print(part(), end="\n\n")
