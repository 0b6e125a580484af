"""Writes the page of trained networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources import warn_caller
from lenet_tf.errors import RunError
from lenet_tf.evaluation.page_files import check_page_path, write_page_text
from lenet_tf.inference.page.example_data import load_example_data
from lenet_tf.inference.page.example_images import choose_examples, make_no_examples
from lenet_tf.inference.page.page_builder import collect_page_data, render_page
from lenet_tf.inference.page.page_networks import PageNetwork, find_networks
from lenet_tf.io.paths import to_path

KIND, PAGE = "page", "page.html"
# What the page shows unless it is given other networks: LeNet-5 as it was, is taught, and is today.
DEFAULT_MODELS = ("lenet5-1998-mnist", "lenet5-mnist", "lenet5-modern-mnist")


def write_page(
    models: Any = DEFAULT_MODELS,
    path: str | Path = PAGE,
    *,
    data: RawData | str | Path | None = None,
    originals: str | Path | None = None,
    notify: Callable[[str], None] | None = None,
) -> Path:
    """Write a page on which one draws and sees all of a network at work.

    It is one HTML file that needs no other file and no network. Its JavaScript computes with the
    weights in float32, as this package does.

    Args:
        models: Names of presets (`lenet_tf.list_presets`), runs or their folders, `.keras` files,
            folders for model hubs, or a `LeNet`; one of them or a list. All take images of one
            shape and know the same classes.
        path: The file to write. A page that stands there is replaced, another file never.
        data: The data set of the page's test images, or its name. None: that of the first network;
            if it isn't found, the page has no test images.
        originals: As in `load_data`.
        notify: Function that is called with a message if the sample stands in for MNIST, the test
            images are missing, or a network was trained in mixed precision. None warns.

    Returns:
        The path.

    Raises:
        RunError: If there is no such network, it is damaged, unfinished or too large, or the
            networks don't fit together; if the file may not or cannot be written.
        DataError: If `data` is damaged or doesn't fit the networks.
        SourceUnreachable: If no source has `data`.

    Example:
        >>> import lenet_tf
        >>> path = lenet_tf.write_page("lenet1-mnist", "lenet1.html", data="sample")
        >>> path.read_text("utf-8").startswith("<!DOCTYPE html>")
        True
    """
    notify = notify or warn_caller
    file = to_path(path, RunError, "the page")
    check_page_path(file, KIND, "--output")
    is_one = not isinstance(models, Sequence) or isinstance(models, str)
    networks = find_networks([models] if is_one else models)
    for network in networks:
        if network.trained.precision != "float32":
            notify(describe_precision(network))
    raw = load_example_data(networks[0], data, originals, notify)
    if raw is None:
        examples = make_no_examples(networks[0].image_shape)
    else:
        examples = choose_examples(raw, networks)
    content = collect_page_data(networks, examples, notify)
    write_page_text(file, render_page(content, title_page(networks)))
    return file


def title_page(networks: Sequence[PageNetwork]) -> str:
    """Return the title of a page for the browser's tab."""
    if all(network.preset is not None for network in networks) and len(networks) > 1:
        return "LeNet-5 at work"
    return f"{', '.join(network.name for network in networks)} at work"


def describe_precision(network: PageNetwork) -> str:
    """Say that a network computes in float32 on a page."""
    return (
        f"{network.name} was trained in {network.trained.precision}. The page computes in float32,"
        " so its probabilities differ a little."
    )
