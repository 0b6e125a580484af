"""The trained networks of a page: what each is, and on which data it was trained."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from lenet_tf.errors import RunError
from lenet_tf.inference.export.network import find_image_shape
from lenet_tf.inference.rejection import is_digit_data
from lenet_tf.io.paths import to_path
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.locate import is_hub_folder, read_any
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.presets import Preset, find_preset
from lenet_tf.runs.run_folder import CONFIG, FINAL, Run
from lenet_tf.runs.run_record import RunRecord, read_run
from lenet_tf.specs.rows import format_shape
from lenet_tf.text import quote_word

# A page holds at most so many networks, each with so many bytes of weights.
MAX_NETWORKS, MAX_WEIGHT_BYTES = 8, 4 << 20


@dataclass(frozen=True)
class PageNetwork:
    """A network of a page.

    Attributes:
        name: The name that the page shows.
        trained: The network.
        data: What is known of the data set that it was trained on, see `RawData.identity`.
        preset: The preset, if it is one.
        record: The record of its run, if it is one.
    """

    name: str
    trained: TrainedNetwork
    data: Mapping[str, Any] = field(default_factory=dict)
    preset: Preset | None = None
    record: RunRecord | None = None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a raw image."""
        height, width, channels = (*find_image_shape(self.trained), 1)[:3]
        return height, width, channels

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class; numbers for digits."""
        names, count = self.trained.class_names, self.trained.spec.num_classes
        return names if len(names) == count else tuple(map(str, range(count)))

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of the packages that trained it, as far as they are recorded."""
        if self.preset is not None:
            return self.preset.versions
        return {} if self.record is None else dict(self.record.config.get("versions", {}))

    @property
    def rejects(self) -> bool:
        """Whether the detector of digits knows its images, as in `lenet_tf.predict`."""
        return is_digit_data(self.data, self.trained.spec.num_classes)


def find_networks(models: Sequence[Any]) -> list[PageNetwork]:
    """Find the networks of a page, each once, under different names.

    Args:
        models: Each as for `lenet_tf.write_page`.

    Returns:
        The networks, which take images of one shape and know the same classes.

    Raises:
        RunError: If there is no such network, it is damaged, unfinished, too large or has weights
            that are NaN or infinite, or the networks don't fit together.
    """
    unique: dict[Any, Any] = {}
    for model in models:
        unique.setdefault(_identify(model), model)
    if not unique:
        raise RunError("a page needs at least one network")
    if len(unique) > MAX_NETWORKS:
        raise RunError(f"a page shows at most {MAX_NETWORKS} networks, not {len(unique)}")
    networks = [find_network(model) for model in unique.values()]
    _check_together(networks)
    return _rename_equal(networks)


def find_network(model: Any) -> PageNetwork:
    """Find one network of a page.

    Raises:
        RunError: As `find_networks`.
    """
    if isinstance(model, Run):
        model = model.path
    if not isinstance(model, str | os.PathLike):
        from lenet_tf.models.trained_network import to_trained_network

        return check_network(PageNetwork(model.name, to_trained_network(model)))
    preset = find_preset(str(model))
    if preset is not None:
        network = PageNetwork(preset.variant, preset.read(), {"name": preset.data}, preset)
        return check_network(network)
    path = to_path(model, RunError, "a preset, run or model")
    folder = path if path.is_dir() else path.parent
    is_in_run = not is_hub_folder(path) and (folder / CONFIG).is_file()
    record = read_run(folder) if is_in_run else None
    if record is not None and path.is_dir() and record.read_metrics() is None:
        last = path / FINAL
        raise RunError(
            f"{path} is unfinished: train on with lenet-tf train --resume {quote_word(path)}"
            + (f", or name its last epoch, {last}" if last.is_file() else "")
        )
    trained = read_any(path)
    name = path.resolve().name if path.is_dir() else path.stem
    if is_in_run and not path.is_dir():
        # All runs have a best.keras.
        name = f"{folder.resolve().name}, {name}"
    data = {} if record is None else dict(record.config["data"])
    return check_network(PageNetwork(name, trained, data, None, record))


def check_network(network: PageNetwork) -> PageNetwork:
    """Return a network that a page can show.

    Raises:
        RunError: If it is too large, or has weights that are NaN or infinite.
    """
    size = 4 * network.trained.spec.parameters
    if size > MAX_WEIGHT_BYTES:
        raise RunError(
            f"{network.name} is too large for a page: its weights take {size / 1e6:.1f} MB, and a"
            f" page takes at most {MAX_WEIGHT_BYTES / 1e6:.1f} MB of each network"
        )
    # Weights that are NaN or infinite raise there.
    fold(network.trained)
    return network


def hide_folder(data_name: str) -> str:
    """Return the name of a data set without the folder of a user's file, for a public page."""
    kinds = (PurePosixPath(data_name), PureWindowsPath(data_name))
    return next((path.name for path in kinds if path.is_absolute()), data_name)


def _identify(model: Any) -> Any:
    """Return what is equal for two names of the same network."""
    if isinstance(model, Run):
        model = model.path
    if not isinstance(model, str | os.PathLike):
        return id(model)
    if find_preset(str(model)) is not None:
        return ("preset", str(model))
    return os.path.realpath(to_path(model, RunError, "a preset, run or model"))


def _check_together(networks: Sequence[PageNetwork]) -> None:
    """Raise `RunError` unless the networks take images of one shape and know the same classes."""
    first = networks[0]
    for other in networks[1:]:
        if other.image_shape != first.image_shape:
            raise RunError(
                f"the networks of a page must take the same images: {first.name} takes"
                f" {format_shape(first.image_shape)}, {other.name} takes"
                f" {format_shape(other.image_shape)}"
            )
        if len(other.class_names) != len(first.class_names):
            raise RunError(
                f"the networks of a page must know the same classes: {first.name} has"
                f" {len(first.class_names)}, {other.name} has {len(other.class_names)}"
            )
        if other.class_names != first.class_names:
            mine, its = next(
                (a, b) for a, b in zip(first.class_names, other.class_names, strict=True) if a != b
            )
            raise RunError(
                f"the networks of a page must know the same classes: {first.name} has {mine!r}"
                f" where {other.name} has {its!r}"
            )


def _rename_equal(networks: Sequence[PageNetwork]) -> list[PageNetwork]:
    """Return the networks under different names: presets' full ones, or numbered ones."""
    renamed: list[PageNetwork] = []
    for network in networks:
        taken = {each.name for each in renamed}
        name = network.name
        if name in taken and network.preset is not None:
            name = network.preset.name
        number = 2
        while name in taken:
            name, number = f"{network.name} ({number})", number + 1
        renamed.append(replace(network, name=name))
    return renamed
