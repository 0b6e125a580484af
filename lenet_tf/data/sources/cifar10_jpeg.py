"""CIFAR-10 as class folders of JPEG files: a copy that is encoded anew, with loss."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.picture_decoding import PictureSettings
from lenet_tf.data.sources.pictures import load_pictures
from lenet_tf.errors import DataError, SourceUnreachable
from lenet_tf.io.bounded import open_regular_file

CIFAR10_JPEG = "cifar10_jpeg"
ARCHIVE = "cifar10-jpeg.tar.gz"
SHA256 = "8d8437376819a5c304d3ecf515adfc156354815e7f0e7ff4df922fd55cf502ce"
CLASS_NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)
_COUNTS, _SIZE = (50_000, 10_000), (32, 32)


def load_cifar10_jpeg(originals: Path | None, notify: Callable[[str], None]) -> RawData:
    """Load the data set from the folder of originals.

    Args:
        originals: Folder of folders of published files; None means that there is none.
        notify: Called with a message about pictures that are left out.

    Raises:
        SourceUnreachable: It is not there; the message says what to put where.
        DataError: The archive is another one, or the folders don't hold the data set.
    """
    folder = None if originals is None else originals / CIFAR10_JPEG
    archive = None if folder is None else folder / ARCHIVE
    if folder is None or archive is None or not (archive.exists() or (folder / "train").is_dir()):
        root = originals or "<folder>"
        reason = "no originals were given" if folder is None else f"{folder} does not hold it"
        raise SourceUnreachable(
            f"{CIFAR10_JPEG} is unavailable: {reason}, and it can't be downloaded.",
            f"Put {ARCHIVE} or its folders train and test into {root}/{CIFAR10_JPEG}/ and give"
            f" --originals {root}.",
        )
    if archive.exists():
        _check_archive(archive)
    data = load_pictures(
        archive if archive.exists() else folder,
        PictureSettings(size=_SIZE, color=True),
        notify,
        name=CIFAR10_JPEG,
        source="originals",
    )
    counts = (len(data.x_train), len(data.x_test))
    if (counts, data.image_shape, data.class_names) != (_COUNTS, (*_SIZE, 3), CLASS_NAMES):
        raise DataError(
            f"{folder} is not {CIFAR10_JPEG}: it has {counts[0]:,} training and {counts[1]:,} test"
            f" images of {len(data.class_names)} classes, not 50,000 and 10,000 of 10"
        )
    return data


def _check_archive(path: Path) -> None:
    try:
        with open_regular_file(path) as file:
            digest = hashlib.sha256()
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    if digest.hexdigest() != SHA256:
        raise DataError(
            f"{path} is not the archive that this package knows: SHA-256"
            f" {digest.hexdigest()[:12]}… instead of {SHA256[:12]}…. Copy it again."
        )
