"""Builds the page of trained networks as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from lenet_tf.evaluation.page_files import generator_tag
from lenet_tf.inference.page.example_images import ExampleImages
from lenet_tf.inference.page.kernel_history import describe_kernel_histories
from lenet_tf.inference.page.network_data import describe_network, describe_page_network
from lenet_tf.inference.page.packed_arrays import pack_text
from lenet_tf.inference.page.page_networks import PageNetwork
from lenet_tf.inference.page.script_sources import build_import_map
from lenet_tf.inference.rejection import NAME, read_detector, read_facts
from lenet_tf.version import __version__

_SOURCES = Path(__file__).parent
# For search engines.
_DESCRIPTION = "Draw, and watch every layer of LeNet-5 read it. Nothing leaves this page."
_STYLES = ("base", "drawing", "inside", "trials", "lessons", "print")


def render_page(data: Mapping[str, Any], title: str) -> str:
    """Render the page.

    Args:
        data: What `scripts/main.js` reads, as values for JSON.
        title: The page's title, for the browser's tab.

    Returns:
        HTML.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_SOURCES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    styles = [(_SOURCES / "styles" / f"{name}.css").read_text("utf-8") for name in _STYLES]
    return environment.get_template("page.html.j2").render(
        generator=generator_tag("page"),
        title=title,
        description=_DESCRIPTION,
        styles="\n".join(styles),
        scripts=pack_text(json.dumps(build_import_map(), ensure_ascii=False)),
        bootstrap=(_SOURCES / "bootstrap.js").read_text("utf-8"),
        data=_to_script_json(data),
    )


def _to_script_json(value: Any) -> str:
    """Format JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def collect_page_data(
    networks: Sequence[PageNetwork], examples: ExampleImages, notify: Callable[[str], None]
) -> dict[str, Any]:
    """Collect what the page shows.

    Args:
        networks: The networks, of which the page shows the first one at first.
        examples: The test images.
        notify: Is called with what is wrong with a network's history.

    Returns:
        What `scripts/main.js` reads, as values for JSON.
    """
    described = [describe_page_network(network) for network in networks]
    has_detector = any(network.rejects for network in networks)
    history, notes = describe_kernel_histories(
        {network.name: network.preset or network.record for network in networks}
    )
    for note in notes:
        notify(note)
    return {
        "networks": described,
        "examples": examples.to_dict(),
        "detector": _describe_detector() if has_detector else None,
        "thresholds": list(read_facts().thresholds) if has_detector else [],
        "kernelHistory": history,
        "pictureInput": described[0]["pictureInput"],
        "hasPhotographs": networks[0].data.get("source") == "pictures",
        "version": __version__,
    }


def _describe_detector() -> dict[str, Any]:
    return describe_network(read_detector(), NAME, "")
