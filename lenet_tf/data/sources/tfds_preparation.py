"""Lets TFDS download or unpack a data set, in one process at a time."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import Timeout

from lenet_tf.data.sources.tfds_builder import check_size, find_builder, get_first_line
from lenet_tf.errors import DataError, SourceUnreachable
from lenet_tf.io.atomic import file_lock
from lenet_tf.io.folders import check_real_folder
from lenet_tf.runtime.output import print_line
from lenet_tf.runtime.tensorflow_start import start_tensorflow
from lenet_tf.runtime.terminal import is_terminal
from lenet_tf.text import escape_controls


def prepare_with_lock(builder: Any, originals: Path | None, source: str) -> None:
    """Prepare a data set unless it is prepared; wait if another process is preparing it.

    Args:
        builder: TFDS' builder of the data set.
        originals: Folder of folders of published files, already verified; None means none.
        source: `originals` or `download`.

    Raises:
        DataError: If the data set is too large or cannot be written.
        SourceUnreachable: If the download fails.
    """
    # A prepared copy was made from files with the checksums of these originals.
    if builder.is_prepared():
        return
    folder = Path(builder.data_path).parent
    lock = folder / f".{builder.info.version}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(file_lock(lock))
            except Timeout:
                _print(
                    f"Another process is preparing {builder.name} in {builder.data_path}. Waiting."
                )
                stack.enter_context(file_lock(lock, timeout=-1))
            if not _is_prepared_now(builder):
                prepare(builder, originals, source)
    except OSError as error:
        raise _preparation_error(builder, error.strerror or str(error)) from error


def prepare(builder: Any, originals: Path | None, source: str) -> None:
    """Prepare a data set; see `prepare_with_lock`, which makes sure that only one process does."""
    import requests
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    check_size(builder)
    start_tensorflow()
    manual = originals / builder.name if originals is not None else None
    output: contextlib.AbstractContextManager = contextlib.nullcontext()
    if source == "originals" or not is_terminal(sys.stderr):
        tfds.disable_progress_bar()
        output = contextlib.redirect_stdout(io.StringIO())
    _print(f"Preparing {builder.name} (from {source}) in {builder.data_path}. This happens once.")
    try:
        # TFDS stores unpacked files under their bare names, and would mix up two data sets.
        with output, _unfinished_folder(builder) as unfinished:
            config = tfds.download.DownloadConfig(
                manual_dir=manual, extract_dir=unfinished / "unpacked", try_download_gcs=False
            )
            copy = find_builder(_get_full_name(builder), unfinished)
            # TFDS' own folder of downloads, which may hold the files already.
            root = Path(builder.data_path).parents[builder.info.full_name.count("/")]
            copy.download_and_prepare(download_dir=root / "downloads", download_config=config)
            os.rename(copy.data_path, builder.data_path)
    except (
        tfds.download.DownloadError,
        NonMatchingChecksumError,
        requests.RequestException,
    ) as error:
        raise SourceUnreachable(
            f"{builder.name}: the download failed ({get_first_line(error)}). Try again when online."
        ) from error
    except Exception as error:  # a builder can raise anything
        # A program that does not know the lock may have been faster.
        if not _is_prepared_now(builder):
            raise _preparation_error(builder, get_first_line(error)) from error


def _is_prepared_now(builder: Any) -> bool:
    """Look at the disk again; a builder remembers what it saw when it was made."""
    return find_builder(_get_full_name(builder)).is_prepared()


def _get_full_name(builder: Any) -> str:
    return ":".join(builder.info.full_name.rsplit("/", 1))


@contextlib.contextmanager
def _unfinished_folder(builder: Any) -> Iterator[Path]:
    """Make a folder for all that is written before the data set is complete, and remove it.

    The holder of the lock removes what a killed process left there.
    """
    version = Path(builder.data_path)
    folder = version.parent / f".lenet_tf-{version.name}.partial"
    with contextlib.suppress(FileNotFoundError):
        # Attack: a link to a folder of the user's, whose files are removed.
        check_real_folder(folder)
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _preparation_error(builder: Any, reason: str) -> DataError:
    return DataError(
        f"{builder.name} cannot be prepared in {builder.data_path}: {reason.rstrip('.')}. "
        "Set TFDS_DATA_DIR to another folder."
    )


def _print(text: str) -> None:
    print_line(escape_controls(text), error=True)
