"""Loads the data set that a page's test images come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lenet_tf.data.dataset import RawData
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.sources import DEFAULT_DATA, load_data
from lenet_tf.errors import DataError, LenetError
from lenet_tf.inference.page.example_images import check_data
from lenet_tf.inference.page.page_networks import PageNetwork
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import escape_controls


def load_example_data(
    network: PageNetwork,
    data: RawData | str | Path | None,
    originals: str | Path | None,
    notify: Callable[[str], None],
) -> RawData | None:
    """Load the data set that a network was tested on.

    Args:
        network: The network.
        data: Another data set, or its name. None: the network's own.
        originals: As in `lenet_tf.load_data`.
        notify: As in `lenet_tf.load_data`; it is also called with the reason why there is no data.

    Returns:
        The data set. None if the network's own is not to be found.

    Raises:
        DataError: If `data` is damaged or does not fit the network.
        SourceUnreachable: If no source has `data`.
    """
    if data is not None:
        raw = data if isinstance(data, RawData) else _load(network, data, {}, originals, notify)
        check_data(raw, network)
        return raw
    try:
        name, options = _find_data(network)
        # Without a name, the embedded sample can replace MNIST.
        wanted = None if name == DEFAULT_DATA else name
        raw = _load(network, wanted, options, originals, notify)
        check_data(raw, network)
        return raw
    except LenetError as error:
        notify(f"The page has no test images: {error}\nName their data set with --data.")
        return None


def _find_data(network: PageNetwork) -> tuple[str, dict[str, Any]]:
    """Return the name of a network's data set, and how it was read."""
    record, origin = network.record, network.trained.origin
    if record is not None:
        if record.config["data"].get("source") == "arrays":
            raise DataError(f"{network.name} was trained on arrays in memory.")
        return record.data_name, ReadOptions.from_dict(record.data_options).to_dict()
    if origin is not None and origin.data:
        return origin.data, {}
    return network.trained.spec.data, {}


def _load(
    network: PageNetwork,
    name: str | Path | None,
    options: Mapping[str, Any],
    originals: str | Path | None,
    notify: Callable[[str], None],
) -> RawData:
    with STATUS.show(f"reading {escape_controls(name or DEFAULT_DATA)}"):
        return load_data(name, originals, notify, network=network.trained.spec, **options)
