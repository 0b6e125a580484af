"""The data of a job, which must be the same wherever the job runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lenet_tf.data import sources
from lenet_tf.data.dataset import RawData
from lenet_tf.errors import DataError, SourceUnreachable
from lenet_tf.scheduling.job import UnsuitablePlace


def locate_data(name: str, originals: str | None) -> tuple[str, str | None]:
    """Return the name and the originals of `load_data` as another folder's process needs them.

    Args:
        name: The name of a data set, or a file or folder.
        originals: The folder of the published data files. None: that of the environment.

    Returns:
        The name and the folder; files and folders with their whole paths.
    """
    originals = originals or os.environ.get(sources.ORIGINALS_VARIABLE)
    is_path = any(separator in name for separator in "/\\.") and Path(name).expanduser().exists()
    return (
        str(Path(name).expanduser().absolute()) if is_path else name,
        str(Path(originals).expanduser().absolute()) if originals else None,
    )


def load_same_data(name: str, originals: str | None, sha256: str | None, **options: Any) -> RawData:
    """Load the data of a job, and check that they are those of the machine that sent it.

    Args:
        name: As in `load_data`.
        originals: As in `load_data`. With `sha256`, a folder that this machine lacks is ignored:
            it may have the data elsewhere.
        sha256: The expected SHA-256. None: the job was not sent by another machine.
        **options: How to read the data, as in `load_data`.

    Returns:
        The data.

    Raises:
        UnsuitablePlace: If this machine has no such data, or other ones.
    """
    if sha256 is None:
        return sources.load_data(name, originals, **options)
    has_folder = originals is not None and Path(originals).is_dir()
    try:
        raw = sources.load_data(name, originals if has_folder else None, **options)
    except (DataError, SourceUnreachable) as error:
        raise UnsuitablePlace(f"lacks the data {name}: {error}") from error
    if raw.sha256 != sha256:
        raise UnsuitablePlace(
            f"has other {name} data (SHA-256 {raw.sha256[:12]}…, here {sha256[:12]}…): copy the"
            " same files there"
        )
    return raw
