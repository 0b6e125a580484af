"""The kinds of hostile run folders: what makes an input, what uses it, and what must hold then."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any, Protocol

import hostile_compile
import hostile_events
import hostile_folders
import hostile_links
from keras_files import make_seed_files
from run_commands import SessionCounter, list_readers, run_command, small_figures
from run_seeds import FINISHED, INTERRUPTED, load_few_digits, make_run_folders

import lenet_tf
from lenet_tf.data import sources
from lenet_tf.errors import LenetError
from lenet_tf.evaluation import run_report
from lenet_tf.models import saving
from lenet_tf.runs import run_record
from lenet_tf.runs.event_files import truncate_events


class OutsideError(AssertionError):
    """Something outside the run folder changed, or what is no file of its own was replaced."""


class Kind(Protocol):
    """A kind of input.

    Args:
        base: A folder for what all inputs share.
    """

    def __init__(self, base: Path) -> None: ...

    def make(self, folder: Path, random: Random) -> str:
        """Makes an input in an empty folder, and returns a description of it."""

    def use(self, folder: Path, random: Random) -> None:
        """Uses it as the package does. Raises `LenetError` if it is refused."""


class Links:
    """Run folders with links, pipes, devices and sockets, and files outside."""

    def __init__(self, base: Path) -> None:
        self._base, self._data, self._counter = base, load_few_digits(), SessionCounter()
        make_run_folders(base, self._data)
        sources.load_sample = lambda: self._data

    def make(self, folder: Path, random: Random) -> str:
        name = random.choice((FINISHED, INTERRUPTED))
        self._run = folder / "logs" / "fit" / name
        self._run.parent.mkdir(parents=True)
        shutil.copytree(self._base / name, self._run)
        hostile_links.make_canaries(folder / "outside", self._run)
        self._planted = {}
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            with contextlib.suppress(FileExistsError, NotADirectoryError, FileNotFoundError):
                path, kind = hostile_links.plant_link(self._run, folder / "outside", random)
                self._planted[path] = path.lstat().st_mode, kind
        planted = [f"{path.name} as {kind}" for path, (_, kind) in self._planted.items()]
        return f"{name[-6:]}: {', '.join(planted)}"

    def use(self, folder: Path, random: Random) -> None:
        outside = folder / "outside"
        before = hostile_links.take_snapshot(outside)
        # Later links may have replaced folders of earlier ones.
        modes = {
            path: mode
            for path, (mode, _) in self._planted.items()
            if os.path.lexists(path) and path.lstat().st_mode == mode
        }
        try:
            random.choice((self._report, self._resume, self._read, self._command))()
        finally:
            self._counter.count()
            changes = hostile_links.find_changes(before, hostile_links.take_snapshot(outside))
            if changes:
                raise OutsideError(f"changed outside: {', '.join(changes)[:200]}")
            replaced = [
                str(path.relative_to(folder))
                for path, mode in modes.items()
                if hostile_links.is_replaced(path, mode)
            ]
            if replaced:
                raise OutsideError(f"replaced: {', '.join(replaced)[:200]}")

    def _report(self) -> None:
        with small_figures():
            run_report.write_report(self._run, self._data)

    def _resume(self) -> None:
        lenet_tf.resume(self._run, self._data, quiet=True, report=False)

    def _read(self) -> None:
        lenet_tf.evaluate(lenet_tf.load_model(self._run), self._data)
        run_record.read_run(self._run).read_metrics()

    def _command(self) -> None:
        with small_figures():
            run_command("report", str(self._run))


class EventFiles:
    """Event files that a resumed run truncates."""

    def __init__(self, base: Path) -> None:
        pass

    def make(self, folder: Path, random: Random) -> str:
        sizes = []
        for part in ("train", "validation"):
            (folder / part).mkdir()
            for number in range(random.choice((1, 1, 2))):
                content = hostile_events.make_event_file(random)
                (folder / part / f"events.out.tfevents.{number}.host.v2").write_bytes(content)
                sizes.append(f"{len(content):,}")
        return f"{', '.join(sizes)} bytes"

    def use(self, folder: Path, random: Random) -> None:
        limits = random.choice((0, 1, 2, 50)), random.choice((0, 1, 40))
        before = hostile_links.take_snapshot(folder)
        try:
            truncate_events(folder, *limits)
        except LenetError:
            if hostile_links.find_changes(before, hostile_links.take_snapshot(folder)):
                raise AssertionError("refused, but a file was changed") from None
            raise
        # What is written is read again without a change.
        written = hostile_links.take_snapshot(folder)
        truncate_events(folder, *limits)
        if hostile_links.find_changes(written, hostile_links.take_snapshot(folder)):
            raise AssertionError("a second truncation changes the files")


class RunFolders:
    """Damaged and mixed files of runs, fed to each reader."""

    def __init__(self, base: Path) -> None:
        self._base, self._data, self._counter = base, load_few_digits(), SessionCounter()
        make_run_folders(base, self._data)
        self._models = make_seed_files()
        sources.load_sample = lambda: self._data

    def make(self, folder: Path, random: Random) -> str:
        name = random.choice((FINISHED, INTERRUPTED))
        shutil.copytree(self._base / name, folder / "run")
        return hostile_folders.damage_run(folder / "run", self._models, random)

    def use(self, folder: Path, random: Random) -> None:
        run = folder / "run"
        errors = []
        for read in list_readers(run):
            try:
                read()
            except LenetError as error:
                errors.append(error)
        # The others take a second each.
        choice = random.random()
        if choice < 0.1:
            self._counter.count()
            lenet_tf.resume(run, self._data, quiet=True, report=False)
        elif choice < 0.15:
            self._counter.count()
            with small_figures():
                run_report.write_report(run, self._data)
        elif choice < 0.2:
            self._counter.count()
            command = random.choice((["evaluate", "--report"], ["summary"], ["report"]))
            with small_figures():
                run_command(*command, str(run))
        if errors:
            raise errors[0]


class CompileConfigs:
    """Models that are compiled and tested as their file says."""

    def __init__(self, base: Path) -> None:
        self._data, self._models, self._counter = (
            load_few_digits(),
            make_seed_files(),
            SessionCounter(),
        )
        read, arrays = saving.read_arrays, {}

        def read_once(weights: bytes, *args: Any, **options: Any) -> Any:
            """Spares the process that reads the weights, which are valid here."""
            if weights not in arrays:
                arrays[weights] = read(weights, *args, **options)
            return arrays[weights]

        saving.read_arrays = read_once

    def make(self, folder: Path, random: Random) -> str:
        number = random.choice((0, 0, 1, 3))
        content = hostile_compile.make_keras_file(self._models[number], random)
        (folder / "model.keras").write_bytes(content)
        return f"model {number}, {len(content):,} bytes"

    def use(self, folder: Path, random: Random) -> None:
        self._counter.count()
        model = lenet_tf.load_model(folder / "model.keras")
        lenet_tf.evaluate(model, self._data)
        if random.random() < 0.05:
            options = {"epochs": 1, "validation": "test", "quiet": True, "report": False}
            board = lenet_tf.Board(images_every=0, histograms=())
            lenet_tf.fit(model, self._data, logs=folder / "logs", board=board, **options)


KINDS: dict[str, type[Kind]] = {
    "links": Links,
    "event files": EventFiles,
    "run folders": RunFolders,
    "compile_config": CompileConfigs,
}
