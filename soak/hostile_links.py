"""Run folders with links, pipes, devices and sockets in the place of files and folders."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path
from random import Random

# What the package writes into a run folder, beside what is there already.
_WRITTEN = (
    *("initial.keras", "metrics.json", "report", "report.html", "projector", ".lock"),
    *("projector_config.pbtxt", "report/confusion.png", "report/.architecture.png.partial"),
    *("projector/points.tsv", "projector/images.tsv", "projector/images.png"),
    *("train/events.out.tfevents.0000000000.finished.v2", ".history.csv.partial"),
    *("validation/events.out.tfevents.9.evil.v2", "events.out.tfevents.9.evil.begun"),
    *("events.out.tfevents.9.evil.ended", ".final.keras.partial", "../comparison.html"),
)
SPECIAL = (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK)
# Names of a path and of everything below it, with what they are and hold.
Snapshot = dict[str, tuple[int, bytes]]


def make_canaries(folder: Path, run: Path) -> None:
    """Makes files outside a run folder that nothing may change: one, and a copy of the run."""
    folder.mkdir()
    (folder / "canary").write_bytes(b"a file of yours")
    shutil.copytree(run, folder / "run", symlinks=True)


def plant_link(run: Path, canaries: Path, random: Random) -> tuple[Path, str]:
    """Puts something that is no file of its own in the place of a path of the run folder.

    Returns:
        The path, and what lies there.
    """
    there = [str(path.relative_to(run)) for path in sorted(run.rglob("*"))]
    name = random.choice(there if random.random() < 0.6 else _WRITTEN)
    path = run / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
    os.makedirs(path.parent, exist_ok=True)
    same = canaries / "run" / name
    kinds = {
        "link to a file": lambda: path.symlink_to(canaries / "canary"),
        "link to its like": lambda: path.symlink_to(same if same.exists() else canaries / "run"),
        "link to a folder": lambda: path.symlink_to(canaries / "run"),
        "link to nowhere": lambda: path.symlink_to(canaries / "run" / "new"),
        "link to itself": lambda: path.symlink_to(path.name),
        "relative link": lambda: path.symlink_to(os.path.relpath(canaries / "canary", path.parent)),
        "hard link": lambda: os.link(canaries / "canary", path),
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: _make_device(path),
        "socket": lambda: _make_socket(path),
        "folder": lambda: path.mkdir(),
    }
    kind = random.choice(list(kinds))
    kinds[kind]()
    return path, kind


def _make_device(path: Path) -> None:
    """Makes /dev/full again, which only root may, or links to it."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    except OSError:
        path.symlink_to("/dev/full")


def _make_socket(path: Path) -> None:
    """Makes a socket, whose path may be too long for its address."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def take_snapshot(folder: Path) -> Snapshot:
    """Returns what a folder and everything below it are, and what files and links hold."""
    snapshot = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        mode = path.lstat().st_mode
        content = b""
        if stat.S_ISLNK(mode):
            content = os.fsencode(os.readlink(path))
        elif stat.S_ISREG(mode):
            content = path.read_bytes()
        snapshot[str(path.relative_to(folder))] = (mode, content)
    return snapshot


def find_changes(before: Snapshot, after: Snapshot) -> list[str]:
    """Returns the names that are new, gone or different."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def is_replaced(path: Path, mode: int) -> bool:
    """Returns whether a link, pipe, device or socket was replaced by something else."""
    if stat.S_IFMT(mode) not in SPECIAL or not os.path.lexists(path):
        return False
    return stat.S_IFMT(path.lstat().st_mode) != stat.S_IFMT(mode)
