"""The tables of docs/soak.md, rendered from the soak's results: python soak/tables.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"


def read_result(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def render_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def list_counts(counts: dict[str, int]) -> str:
    """Returns "name count, name count", the largest count first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count}" for name, count in ordered)


def render_kills() -> str:
    result = read_result("kills")
    differing, unreadable = len(result["differing"]), len(result["unreadable"])
    return (
        f"{result['runs']} runs were killed {result['kills']} times"
        f" ({list_counts(result['by signal'])}) and resumed until they finished: {differing}"
        f" differing weights, histories or TensorBoard tags, {unreadable} unreadable files."
        f" Moments of the kills: {list_counts(result['by moment'])}."
    )


def render_disasters() -> str:
    return render_table(
        ["what happened", "how the process ended", "what is left"],
        [list(row.values()) for row in read_result("disasters")],
    )


def render_fuzz() -> str:
    columns = [
        "reader",
        "inputs",
        "read",
        "refused",
        "crashes",
        "hangs over 5 s",
        "slowest, s",
        "peak MiB above baseline",
    ]
    return render_table(columns, [*list_reader_rows(), *list_keras_rows()])


def list_reader_rows() -> list[list[Any]]:
    return [
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
        for line in read_result("fuzz")
    ]


def list_keras_rows() -> list[list[Any]]:
    result = read_result("fuzz_keras")

    def count(kind: str, layer: str) -> int:
        return sum(text.startswith(f"{layer} ") for text in result[kind])

    return [
        [
            f".keras, {name}",
            f"{layer['inputs']:,}",
            f"{layer['read']:,}",
            f"{layer['inputs'] - layer['read']:,}",
            count("crashes", name),
            count("hangs", name),
            f"{layer['slowest']:.2f}",
            f"{result['memory_mib']:.0f}",
        ]
        for name, layer in result["layers"].items()
    ]


def render_runs() -> str:
    columns = [
        "kind",
        "inputs",
        "used",
        "refused",
        "crashes",
        "hangs over 20 s",
        "slowest, s",
        "peak MiB above baseline",
    ]
    rows = [
        [
            line["kind"],
            f"{line['inputs']:,}",
            f"{line['accepted']:,}",
            f"{line['refused']:,}",
            len(line["crashes"]),
            len(line["hangs"]),
            f"{line['slowest_s']:.2f}",
            f"{line['peak_mib_over_base']:.0f}",
        ]
        for line in read_result("fuzz_runs")
    ]
    return render_table(columns, rows)


def render_threads() -> str:
    result = read_result("fit_in_threads")
    return (
        f"{result['starts']} processes with {result['threads']} threads each:"
        f" {list_counts(result['ends'])}."
    )


if __name__ == "__main__":
    for render in (render_kills, render_disasters, render_fuzz, render_runs, render_threads):
        print(render(), end="\n\n")
