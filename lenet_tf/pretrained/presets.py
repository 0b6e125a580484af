"""The trained networks that are part of this package."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tf.errors import RunError, suggest_name
from lenet_tf.io.bounded import parse_json, read_bounded
from lenet_tf.runs.schema import Count, Fraction, Text
from lenet_tf.runs.validation import check_values

if TYPE_CHECKING:
    from lenet_tf.pretrained.network import TrainedNetwork
    from lenet_tf.runs.kernel_history import KernelHistory

# The network that `lenet-tf predict` uses unless it is given another one.
DEFAULT_PRESET = "lenet5-modern-mnist"

FOLDER = Path(__file__).parent / "presets"
# Of the files beside some presets, and the most epochs in them.
KERNELS_SUFFIX, MAX_PRESET_EPOCHS = ".kernels.npz", 16
_MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class Preset:
    """A trained network of this package, and where it comes from.

    Attributes:
        name: Its name, such as `lenet5-modern-mnist`.
        title: The network and its recipe in words.
        variant: The name of its spec.
        parameters: The number of its parameters.
        data: The name of the data set that it was trained on.
        data_title: That name as people write it.
        data_version: The data set's version.
        data_sha256: The digest of its images and labels, `RawData.sha256`.
        data_license: The data set's license.
        license: The license of the weights.
        class_names: Names of the classes; none if they are digits.
        image_shape: Shape of the raw images.
        preparation: How an image is prepared, `Spec.preparation` as a dictionary.
        test_images: The number of test images.
        test_errors: How many of them it misclassifies.
        test_error: Their share.
        test_error_interval: The 95% interval of the share.
        row: The row of the reproduction table whose recipe trained it.
        digest: The digest of the row.
        seed: The seed of its run.
        rule: How this seed was chosen.
        row_test_errors: The share of errors of each recorded seed of the row, by rising seed.
        predictions: The digest of its predictions for the test images.
        versions: The versions of the packages that trained it.
        machine: The machine that trained it.
        commit: The commit of this project that trained it.
        sha256: The digest of the `.keras` file.
    """

    name: Text
    title: Text
    variant: Text
    parameters: Count
    data: Text
    data_title: Text
    data_version: Text
    data_sha256: Text
    data_license: Text
    license: Text
    class_names: tuple[Text, ...]
    image_shape: tuple[Count, ...]
    preparation: Mapping[str, Any]
    test_images: Count
    test_errors: Count
    test_error: Fraction
    test_error_interval: tuple[Fraction, Fraction]
    row: Text
    digest: Text
    seed: Count
    rule: Text
    row_test_errors: tuple[Fraction, ...]
    predictions: Text
    versions: Mapping[str, Text]
    machine: Mapping[str, Any]
    commit: Text
    sha256: Text

    @property
    def path(self) -> Path:
        """Its `.keras` file."""
        return FOLDER / f"{self.name}.keras"

    @property
    def size(self) -> int:
        """Bytes of the `.keras` file."""
        return self.path.stat().st_size

    def read_bytes(self) -> bytes:
        """Read the `.keras` file and verify its digest.

        Returns:
            The content.

        Raises:
            RunError: If the file is missing or was changed.
        """
        content = _read(self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise RunError(
                f"{self.path} is not the file that lenet_tf was published with: its SHA-256"
                " differs. Install lenet_tf again"
            )
        return content

    def read(self) -> TrainedNetwork:
        """Read the network without Keras.

        Returns:
            The network, with the classes' names and the shape of a raw image.

        Raises:
            RunError: If the file is missing or was changed.
        """
        # Not above: names are looked up where NumPy isn't needed.
        from lenet_tf.pretrained.network import Origin
        from lenet_tf.pretrained.reading import read_stream

        try:
            network = read_stream(io.BytesIO(self.read_bytes()), is_own=True)
        except ValueError as error:
            raise RunError(f"{self.path} cannot be read as a LeNet: {error}") from error
        return dataclasses.replace(
            network,
            class_names=self.class_names,
            image_shape=self.image_shape,
            origin=Origin(
                self.name,
                self.data,
                test_images=self.test_images,
                test_errors=self.test_errors,
            ),
        )

    def read_kernel_history(self) -> KernelHistory | None:
        """Read the kernels of its first convolution over the epochs of its run.

        Returns:
            Up to `MAX_PRESET_EPOCHS` epochs; None if the package has none of this preset.

        Raises:
            RunError: If the file is damaged.
        """
        from lenet_tf.runs.kernel_history import read_kernel_file

        path = self.path.with_suffix(KERNELS_SUFFIX)
        return read_kernel_file(path, self.read().spec) if os.path.lexists(path) else None


def list_presets() -> tuple[Preset, ...]:
    """List the trained networks that are part of this package.

    Returns:
        The presets, sorted by name.

    Example:
        >>> import lenet_tf
        >>> presets = {preset.name: preset for preset in lenet_tf.list_presets()}
        >>> presets["lenet5-modern-mnist"].parameters
        61706
    """
    return tuple(_read_preset(name) for name in list_names())


def list_names() -> tuple[str, ...]:
    """List the names of the presets, sorted, without reading them."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def find_preset(name: str) -> Preset | None:
    """Find a preset by its name.

    Args:
        name: The name.

    Returns:
        The preset, or None if no preset has this name.

    Raises:
        RunError: If its description is damaged.
    """
    # Attack: a name such as `../../x`, which leads to another folder.
    return _read_preset(name) if name in list_names() else None


def suggest_preset(name: str) -> str:
    """Suggest presets for an unknown name, as a question or as a list of all."""
    names = list_names()
    return suggest_name(name, names, f"presets are {', '.join(names)}")


def _read_preset(name: str) -> Preset:
    path = FOLDER / f"{name}.json"
    try:
        preset = check_values(parse_json(_read(path)), Preset)
        if preset.name != name:
            raise ValueError(f"it describes {preset.name[:60]!r}")
        return preset
    except ValueError as error:
        raise RunError(
            f"{path} is not usable: {error}. Install lenet_tf again",
        ) from error


def _read(path: Path) -> bytes:
    try:
        return read_bounded(path, _MAX_BYTES, follow_links=False)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunError(f"{path} cannot be read: {reason}. Install lenet_tf again") from error
