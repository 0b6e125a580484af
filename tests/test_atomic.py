"""Files and folders: written whole or not at all, and never through a link."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lenet_tf.io import atomic, folders, scratch, tracking
from lenet_tf.io.atomic import atomic_write, file_lock, make_folder, remove_partials, write_text
from lenet_tf.io.folders import UnsafePathError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such links and pipes")


@pytest.fixture(params=["descriptors", "paths"], autouse=True)
def folder_access(request, monkeypatch):
    """Run each test also as on a system that cannot open folders."""
    if request.param == "paths":
        monkeypatch.setattr(folders, "USES_DESCRIPTORS", False)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_with_the_permissions_of_a_new_file(tmp_path):
    path = tmp_path / "x.csv"
    mask = os.umask(0o027)
    try:
        with atomic_write(path) as file:
            file.write(b"1")
            assert not path.exists(), "not before the block ends"
    finally:
        os.umask(mask)
    assert path.read_bytes() == b"1" and stat.S_IMODE(path.stat().st_mode) == 0o640
    write_text(path, "é\n")
    assert path.read_bytes() == "é\n".encode() and names(tmp_path) == ["x.csv"]


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_a_replaced_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "x.csv"
    path.write_text("old")
    path.chmod(mode)
    mask = os.umask(0o022)
    try:
        with atomic_write(path) as file:
            file.write(b"new")
            (partial,) = (each for each in tmp_path.iterdir() if each != path)
            assert stat.S_IMODE(partial.stat().st_mode) == mode, "also before the block ends"
    finally:
        os.umask(mask)
    assert path.read_text() == "new" and stat.S_IMODE(path.stat().st_mode) == mode


def test_a_failed_write_leaves_the_old_content_and_no_other_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old" and names(tmp_path) == ["x.csv"]


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path):
    texts = [f"{number}" * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_text(tmp_path / "x.csv", text), texts * 4))
    assert (tmp_path / "x.csv").read_text() in texts and names(tmp_path) == ["x.csv"]


def test_a_link_under_a_temporary_name_is_not_followed(tmp_path, monkeypatch):
    """Even if someone guesses the random name."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    monkeypatch.setattr(os, "urandom", lambda count: bytes(count))
    (tmp_path / f".lenet_tf-{'00' * 8}.partial").symlink_to(victim)
    with pytest.raises(FileExistsError, match=r"x\.csv"):
        write_text(tmp_path / "x.csv", "new")
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "named pipe", "device"])
def test_only_plain_files_are_replaced(kind, tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "x.csv"
    victim.write_text("mine")
    if kind == "device":
        path = Path("/dev/null")
    elif kind == "folder":
        path.mkdir()
    elif kind == "named pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(victim if kind == "link" else tmp_path / "nothing")
    before = names(path.parent), path.lstat().st_mode
    for write in (lambda: write_text(path, "new"), lambda: atomic.check_writable(path)):
        with pytest.raises(UnsafePathError, match=f"it is a {kind.split()[-1]}|named pipe"):
            write()
    assert (names(path.parent), path.lstat().st_mode) == before
    assert victim.read_text() == "mine"


def test_a_link_that_appears_while_the_file_is_written_is_not_followed(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "x.csv"
    victim.write_text("mine")

    def write() -> None:
        with atomic_write(path) as file:
            file.write(b"new")
            path.symlink_to(victim)

    with pytest.raises(UnsafePathError):
        write()
    assert victim.read_text() == "mine" and names(tmp_path) == ["victim", "x.csv"]


def test_links_below_a_run_folder_are_not_followed(tmp_path):
    run, victim = tmp_path / "run", tmp_path / "victim"
    run.mkdir(), victim.mkdir()
    (run / "report").symlink_to(victim)
    for write in (
        lambda: write_text(run / "report" / "x.png", "new", inside=run),
        lambda: make_folder(run / "report", inside=run),
        lambda: make_folder(run / "report" / "x", inside=run),
        lambda: remove_partials(run / "report", inside=run),
    ):
        with pytest.raises(UnsafePathError, match="report is a link, not a folder"):
            write()
    assert names(victim) == []
    # The user's own link to the run folder is followed.
    (tmp_path / "latest").symlink_to(run)
    make_folder(tmp_path / "latest" / "train", inside=tmp_path / "latest")
    write_text(tmp_path / "latest" / "train" / "x", "new", inside=tmp_path / "latest")
    assert (run / "train" / "x").read_text() == "new"


def test_a_folder_swapped_for_a_link_while_its_file_is_written(tmp_path, monkeypatch):
    if not folders.USES_DESCRIPTORS:
        pytest.skip("files are reached by path")
    folder, victim = tmp_path / "report", tmp_path / "victim"
    folder.mkdir(), victim.mkdir()
    (victim / "x.png").write_text("mine")
    with atomic_write(folder / "x.png") as file:
        file.write(b"new")
        folder.rename(tmp_path / "moved")
        folder.symlink_to(victim)
    assert (victim / "x.png").read_text() == "mine"
    assert (tmp_path / "moved" / "x.png").read_text() == "new"


def test_only_temporary_files_are_removed(tmp_path):
    partials = [".lenet_tf-0123456789abcdef.partial", ".final-77.partial.keras"]
    for name in (*partials, "final.keras", ".notes.partial", "a.partial", ".a-b.partial.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".lenet_tf-0000000000000000.partial").symlink_to(tmp_path / "final.keras")
    (tmp_path / ".lenet_tf-1111111111111111.partial").mkdir()
    before = names(tmp_path)
    remove_partials(tmp_path)
    assert sorted(set(before) - set(names(tmp_path))) == sorted(partials)
    remove_partials(tmp_path / "nowhere")


def test_a_lock_is_no_link_and_no_second_name(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "link.lock").symlink_to(victim)
    (tmp_path / "hard.lock").hardlink_to(victim)
    for name, kind in (("link.lock", "a link"), ("hard.lock", "the second name of a file")):
        with (
            pytest.raises(UnsafePathError, match=f"{name} is {kind}"),
            file_lock(tmp_path / name),
        ):
            pass
    assert victim.read_text() == "mine"
    with file_lock(tmp_path / "x.lock"):
        assert (tmp_path / "x.lock").exists()
    assert not (tmp_path / "x.lock").exists()


def test_private_folders_of_killed_processes_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    victim = tmp_path / "victim"
    victim.mkdir()
    old, new = (tmp_path / f".lenet_tf-private-{name}" for name in ("abandone", "just_now"))
    users = tmp_path / "lenet_tf-abcd1234"
    old.mkdir(), new.mkdir(), users.mkdir()
    (old / "x").write_text("left behind")
    for folder in (old, users):
        os.utime(folder, (0, 0))
    (tmp_path / ".lenet_tf-private-the_link").symlink_to(victim)
    with scratch.private_folder() as used:
        assert stat.S_IMODE(used.stat().st_mode) == 0o700
        os.utime(used, (0, 0))
        with scratch.private_folder():
            assert used.exists(), "it is locked"
        assert not old.exists()
        assert new.exists() and users.exists() and victim.exists()
    assert not used.exists()


def test_a_folder_is_found_again_after_it_was_moved(tmp_path):
    if not folders.USES_DESCRIPTORS:
        pytest.skip("folders are reached by path")
    folder, moved = tmp_path / "run", tmp_path / "moved"
    folder.mkdir()
    with tracking.track_folder(folder) as find_folder:
        assert find_folder() == folder
        folder.rename(moved)
        folder.mkdir()
        assert find_folder() == moved, "and not the new folder of the old name"
        moved.rmdir()
        assert find_folder() is None
    with tracking.track_folder(tmp_path / "nowhere") as find_folder:
        assert find_folder() is None
