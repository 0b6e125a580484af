"""Export a trained network, and check the export before it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tf.errors import LenetError, RunError
from lenet_tf.inference.export.check import ExportCheck, check_export
from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork, build_export_network
from lenet_tf.inference.export.registry import Format, get_format
from lenet_tf.inference.export.subject import find_subject, read_export_data
from lenet_tf.io.atomic import write_text
from lenet_tf.io.paths import to_path
from lenet_tf.io.placement import check_free, place_files, place_folder
from lenet_tf.io.scratch import private_folder
from lenet_tf.runtime.startup_log import hide_log
from lenet_tf.runtime.tensorflow_start import start_tensorflow
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import format_json
from lenet_tf.version import __version__

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData

LABELS, CHECK_SUFFIX = "labels.txt", ".check.json"


@dataclass(frozen=True)
class ExportResult:
    """An export that was checked and written.

    Attributes:
        path: Its file or folder.
        format: Its format.
        size: Bytes of its files, without labels and check.
        files: All files that were written.
        check: What it answers, beside the network that it was made of.
    """

    path: Path
    format: str
    size: int
    files: tuple[Path, ...]
    check: ExportCheck

    def to_dict(self) -> dict[str, Any]:
        """Convert to values that JSON can hold."""
        return {
            "path": str(self.path),
            "format": self.format,
            "bytes": self.size,
            "files": [str(file) for file in self.files],
            "check": asdict(self.check),
        }


def export(
    model: Any,
    path: str | Path | None = None,
    *,
    format: str = "onnx",
    prepared: bool = False,
    data: RawData | str | Path | None = None,
    originals: str | Path | None = None,
    overwrite: bool = False,
    notify: Callable[[str], None] | None = None,
) -> ExportResult:
    """Export a trained network to another runtime, and check it there before it is kept.

    The export takes a batch of any number of images, named `images`, and returns `probabilities`,
    float32 (N, classes). Its runtime must answer the first 1,000 test images as the network does.
    `labels.txt` and a file that ends with `.check.json` are written beside it, or into its folder.

    Args:
        model: A preset's name, a run, a run's folder, a `.keras` file, a hub folder or a `LeNet`.
            One that computes in mixed precision is exported in float32.
        path: File or folder to write. None names it after the model, in the current folder. For a
            format of one file, an existing folder takes the file.
        format: `onnx`, `litert`, `int8` (LiteRT with 8-bit integers), `saved_model`, `openvino`,
            `hub` (a folder for model hubs) or `c` (C99 for microcontrollers).
        prepared: Take prepared images, float32 (N, height, width, channels), instead of raw ones,
            uint8 (N, height, width), or (N, height, width, channels) in color.
        data: Data set to check with, or its name. None takes the network's own. If MNIST is
            unavailable, the embedded sample replaces it.
        originals: As in `load_data`.
        overwrite: Replace an existing export.
        notify: As in `load_data`.

    Returns:
        The files and the result of the check.

    Raises:
        LenetError: If a package is missing, the format can't express the network, or the export
            answers differently. Then nothing is written.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> result = lenet_tf.export("lenet5-modern-mnist", format="litert", data=data)
        >>> result.path.name, result.check.changed_answers
        ('lenet5-modern-mnist.tflite', 0)
    """
    chosen = get_format(format)
    if prepared and not chosen.takes_prepared:
        raise LenetError(f"{chosen.title} takes raw images only: leave out prepared (--prepared)")
    chosen.check_packages()
    subject = find_subject(model)
    target = _find_target(path, subject.title, chosen)
    check_target(target, chosen, overwrite)
    images = read_export_data(subject, data, originals, notify)
    network = build_export_network(subject.trained, subject.title, images, prepared)
    start_tensorflow()
    with private_folder() as folder:
        result, contents = _write(network, chosen, folder / target.name)
        if chosen.is_folder:
            place_folder(folder / target.name, target)
            files = [target / content.relative_to(folder / target.name) for content in contents]
        else:
            _check_labels(target.parent / LABELS, network, overwrite)
            place_files(contents, target.parent)
            files = [target.parent / content.name for content in contents]
    size = sum(file.stat().st_size for file in files if not _is_extra(file))
    return ExportResult(target, chosen.name, size, tuple(files), result)


def check_target(target: Path, chosen: Format, overwrite: bool) -> None:
    """Check that an export can be written, before the work.

    Args:
        target: Its file or folder.
        chosen: Its format.
        overwrite: Whether an existing export may be replaced.

    Raises:
        RunError: If something is there that may not be replaced.
        OSError: If its folder does not exist or takes no files.
    """
    try:
        check_free(target, overwrite)
    except FileExistsError as error:
        raise RunError(
            f"{target} exists: choose another path (--output), or replace it (--force)"
        ) from error
    if chosen.is_folder and target.is_dir() and not any(target.glob(f"*{CHECK_SUFFIX}")):
        raise RunError(f"{target} is a folder that no export wrote: choose another (--output)")


def _find_target(path: str | Path | None, title: str, chosen: Format) -> Path:
    name = f"{title}{chosen.suffix}"
    if path is None:
        return Path(name)
    target = to_path(path, RunError, "an export")
    if chosen.is_folder:
        return target
    if target.is_dir():
        return target / name
    ending = Path(chosen.suffix).suffix or chosen.suffix
    if target.suffix not in ("", ending):
        raise RunError(
            f"the name of a file of {chosen.title} ends with {ending}, not {target.suffix}"
        )
    return target.with_suffix(ending)


def _write(network: ExportNetwork, chosen: Format, path: Path) -> tuple[ExportCheck, list[Path]]:
    """Write an export, check it, and add labels and the result."""
    with STATUS.show(f"exporting {network.title} to {chosen.title}"), hide_log():
        chosen.write(network, path)
    with STATUS.show(f"checking {path.name}"), hide_log():
        result = check_export(chosen, network, path)
    place = path if chosen.is_folder else path.parent
    files = sorted(file for file in place.rglob("*") if file.is_file())
    record = _build_record(network, chosen, result, path, files)
    if chosen.has_labels:
        write_text(place / LABELS, "".join(f"{label}\n" for label in network.labels))
    name = "export" if chosen.is_folder else path.name
    write_text(place / f"{name}{CHECK_SUFFIX}", format_json(record, indent=1) + "\n")
    return result, sorted(file for file in place.rglob("*") if file.is_file())


def _build_record(
    network: ExportNetwork, chosen: Format, result: ExportCheck, path: Path, files: list[Path]
) -> dict[str, Any]:
    place = path if chosen.is_folder else path.parent
    return {
        "network": network.title,
        "spec": network.trained.spec.name,
        "format": chosen.name,
        "input": {
            "name": INPUT,
            "dtype": network.input_dtype,
            "shape": ["batch", *network.image_shape],
        },
        "output": {
            "name": OUTPUT,
            "dtype": "float32",
            "shape": ["batch", len(network.labels)],
        },
        "trained_precision": network.trained.precision,
        "check": asdict(result),
        "tolerance": asdict(chosen.tolerance),
        "versions": {"lenet_tf": __version__, **_find_versions(chosen.packages)},
        "files": {
            file.relative_to(place).as_posix(): {
                "bytes": file.stat().st_size,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            }
            for file in files
        },
    }


def _find_versions(packages: tuple[str, ...]) -> dict[str, str]:
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _check_labels(path: Path, network: ExportNetwork, overwrite: bool) -> None:
    """Keep the labels of another network in the same folder."""
    text = "".join(f"{label}\n" for label in network.labels)
    if not overwrite and path.is_file() and path.read_text(encoding="utf-8") != text:
        raise RunError(
            f"{path} has the labels of another network: choose another folder (--output), or"
            " replace them (--force)"
        )


def _is_extra(file: Path) -> bool:
    return file.name == LABELS or file.name.endswith(CHECK_SUFFIX)
