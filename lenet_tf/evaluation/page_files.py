"""Where HTML pages are written: never over a file that this package did not write."""

from __future__ import annotations

from pathlib import Path

from lenet_tf.errors import RunError
from lenet_tf.io.atomic import check_writable, write_text
from lenet_tf.io.bounded import open_regular_file

# The generator tag stands within this many bytes of a page.
_HEAD_BYTES = 1_000


def generator_tag(kind: str) -> str:
    """Return the tag that marks a page as written by this package.

    Args:
        kind: `report`, `comparison` or `page`.

    Returns:
        A `<meta>` element, which stands near the page's beginning.
    """
    return f'<meta name="generator" content="lenet_tf {kind}">'


def check_page_path(path: Path, kind: str, option: str) -> None:
    """Check that a page may be written to a path.

    Args:
        path: The page's path.
        kind: `comparison` or `page`.
        option: The option of the command that names another file.

    Raises:
        RunError: If its folder does not exist, or what exists is no page of this kind: another
            file, a link or a device.
    """
    if not path.parent.is_dir():
        raise RunError(f"cannot write {path.name}: the folder {path.parent} does not exist")
    try:
        check_writable(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    if path.exists() and not _is_page(path, kind):
        raise RunError(
            f"{path} is not a {kind} that lenet-tf wrote, so it is not overwritten:"
            f" choose another file with {option}"
        )


def write_page_text(path: Path, text: str) -> None:
    """Write a page whose path is checked, whole or not at all.

    Raises:
        RunError: If it cannot be written.
    """
    try:
        write_text(path, text)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def _is_page(path: Path, kind: str) -> bool:
    try:
        with open_regular_file(path) as file:
            return generator_tag(kind).encode() in file.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return False
