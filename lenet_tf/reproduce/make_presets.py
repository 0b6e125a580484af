"""Make the package's presets anew: train each planned run, and write its files.

Example:
    $ python -m lenet_tf.reproduce.make_presets --logs logs lenet1-mnist
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.errors import LenetError, RunError
from lenet_tf.evaluation.data_facts import DATA_FACTS
from lenet_tf.evaluation.model_card import ModelCard, render_card
from lenet_tf.evaluation.scores import Score
from lenet_tf.io.atomic import atomic_write, write_text
from lenet_tf.io.bounded import read_json
from lenet_tf.pretrained import presets
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.presets import Preset
from lenet_tf.pretrained.reading import read_network
from lenet_tf.pretrained.writing import build_archive
from lenet_tf.reproduce.plan import get_rows
from lenet_tf.reproduce.predictions import compute_digest, decode_classes
from lenet_tf.reproduce.preset_plan import PLANNED, PlannedPreset, choose_seed, get_rule
from lenet_tf.reproduce.records import Record, RecordStore
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.reproduce.worker import describe_job, get_run_home
from lenet_tf.runs.kernel_history import read_kernel_history, write_kernel_file
from lenet_tf.scheduling.local_pool import LocalPool
from lenet_tf.text import format_json

_DIGITS = tuple("0123456789")


def make_preset(planned: PlannedPreset, logs: Path, originals: str | None, folder: Path) -> Preset:
    """Train the run of a preset, or read it if it is finished, and write the preset's files.

    Args:
        planned: The preset.
        logs: The folder of all run folders.
        originals: The folder of the published data files.
        folder: Where the files go.

    Returns:
        The preset.

    Raises:
        RunError: If the run fails.
    """
    row = get_rows([planned.row])[0]
    records = RecordStore.for_package().read(row)
    seed = choose_seed(row, records)
    record = _train(row, seed, logs, originals)
    run = _find_run(row, record, logs)
    network = read_network(run)
    content = build_archive(network, record["versions"]["keras"], record["versions"]["lenet_tf"])
    preset = _describe(planned, row, record, records, network, content)
    with atomic_write(folder / f"{preset.name}.keras") as file:
        file.write(content)
    write_text(folder / f"{preset.name}.json", format_json(asdict(preset), indent=2) + "\n")
    _write_card(preset, network, folder)
    kernels = read_kernel_history(run)
    if kernels is not None:
        path = folder / f"{preset.name}{presets.KERNELS_SUFFIX}"
        write_kernel_file(path, kernels.select(presets.MAX_PRESET_EPOCHS))
    return preset


def _write_card(preset: Preset, network: TrainedNetwork, folder: Path) -> None:
    card = render_card(ModelCard.from_preset(preset, network.spec))
    write_text(folder / f"{preset.name}.md", card)


def _train(row: TableRow, seed: int, logs: Path, originals: str | None) -> Record:
    job = describe_job(row, seed, logs, originals)
    try:
        with LocalPool(slots=1, pinned=False) as pool:
            return pool.run(job)["record"]
    except RunError as error:
        raise RunError(f"{job.name}: {error}") from error


def _find_run(row: TableRow, record: Record, logs: Path) -> Path:
    """Find the folder of the run that a record describes."""
    for folder in sorted((get_run_home(logs, row, record["seed"]) / "fit").glob("*/")):
        metrics = folder / "metrics.json"
        if metrics.is_file() and read_json(metrics).get("finished") == record["finished"]:
            return folder
    raise RunError(f"{logs} doesn't contain the run of {row.name}, seed {record['seed']}")


def _describe(
    planned: PlannedPreset,
    row: TableRow,
    record: Record,
    records: Sequence[Record],
    network: TrainedNetwork,
    content: bytes,
) -> Preset:
    labels, predictions = (decode_classes(record[name]) for name in ("labels", "predictions"))
    images, errors = len(labels), int(np.count_nonzero(labels != predictions))
    score = Score.from_counts(errors, images)
    names = network.class_names
    return Preset(
        name=planned.name,
        title=planned.title,
        variant=network.spec.name,
        parameters=network.spec.parameters,
        data=row.data,
        data_title=DATA_FACTS[row.data].title,
        data_version=record["data"]["version"],
        data_sha256=record["data"]["sha256"],
        data_license=DATA_FACTS[row.data].license,
        license="MIT",
        class_names=() if names == _DIGITS else names,
        image_shape=network.image_shape or (),
        preparation=network.spec.to_dict()["preparation"],
        test_images=images,
        test_errors=errors,
        test_error=round(score.value, 6),
        test_error_interval=(round(score.low, 6), round(score.high, 6)),
        row=row.name,
        digest=row.digest,
        seed=record["seed"],
        rule=get_rule(row),
        row_test_errors=tuple(round(1 - each["test"]["accuracy"], 6) for each in records),
        predictions=compute_digest(record["predictions"]),
        versions=record["versions"],
        machine=record["machine"],
        commit=record["commit"],
        sha256=hashlib.sha256(content).hexdigest(),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the named presets, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    planned: dict[str, Any] = {each.name: each for each in PLANNED}
    parser.add_argument("names", nargs="*", metavar="NAME", help="presets; none: all")
    parser.add_argument("--logs", type=Path, default=Path("logs"), help="run folders")
    parser.add_argument("--originals", help="folder of the published data files")
    parser.add_argument("--folder", type=Path, default=presets.FOLDER, help="where files go")
    parser.add_argument("--cards", action="store_true", help="write only the model cards again")
    options = parser.parse_args(arguments)
    try:
        if options.cards:
            for preset in presets.list_presets():
                _write_card(preset, preset.read(), options.folder)
            return
        for name in options.names or planned:
            if name not in planned:
                parser.error(f"unknown preset {name!r}: choose from {', '.join(planned)}")
            preset = make_preset(planned[name], options.logs, options.originals, options.folder)
            print(
                f"{name}: {preset.test_errors} of {preset.test_images:,} test images misclassified",
                flush=True,
            )
    except LenetError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
