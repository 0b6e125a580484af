"""Recipes, commits, machines, versions and data of the recorded runs, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lenet_tf.evaluation.markdown import format_table
from lenet_tf.evaluation.spec_text import format_augmentation, format_recipe
from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.results import Results
from lenet_tf.reproduce.table_row import TableRow


def render_recipes_table(results: Results) -> str:
    """Render the recipe, the share of training images used and the commits of each row."""
    lines = []
    for row in results.finished_rows:
        validation = row.spec.recipe.validation
        share = 1.0 if validation == "test" else 1 - float(validation)
        commits = dict.fromkeys(str(record.get("commit")) for record in results.records[row])
        lines.append((f"`{row.name}`", _describe_recipe(row), f"{share:.0%}", ", ".join(commits)))
    return format_table(("row", "recipe", "trained on", "commits"), lines) if lines else ""


def _describe_recipe(row: TableRow) -> str:
    recipe = row.spec.recipe
    if not recipe.augmentation:
        return format_recipe(recipe)
    return f"{format_recipe(recipe)}, distorted by {format_augmentation(recipe.augmentation)}"


def render_provenance(results: Results) -> str:
    """Render the machines, versions and data of all runs, with the number of runs of each."""
    records = [record for row in results.finished_rows for record in results.records[row]]
    if not records:
        return "Nothing has been run."
    hours = sum(record["seconds"] for record in records) / 3600
    return "\n".join(
        [
            f"- {len(records)} runs, {hours:.1f} hours in total, each pinned to one core of a"
            " machine that also ran other work at times. Tuning isn't included.",
            "- Machines and versions:",
            *_count(map(_describe_machine, records)),
            "- Data:",
            *_count(map(_describe_data, records)),
        ]
    )


def _count(descriptions: Iterable[str]) -> list[str]:
    return [f"  - {text}: {count} runs" for text, count in Counter(descriptions).items()]


def _describe_data(record: Record) -> str:
    data = record["data"]
    name = f"{data['name']} {data['version']}".strip()
    return f"{name}, SHA-256 {data['sha256'][:16]}…"


def _describe_machine(record: Record) -> str:
    machine, versions = record["machine"], record["versions"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {', '.join(machine['features'])},"
        f" {_describe_onednn(record)}, {machine['system']}; Python {versions['python']},"
        f" TensorFlow {versions['tensorflow']}, Keras {versions['keras']},"
        f" NumPy {versions['numpy']}"
    )


def _describe_onednn(record: Record) -> str:
    threads = record["threads"]
    if threads.get("TF_ENABLE_ONEDNN_OPTS") != "1":
        return "oneDNN off"
    limit = threads.get("ONEDNN_MAX_CPU_ISA")
    return f"oneDNN on up to {limit}" if limit else "oneDNN on"
