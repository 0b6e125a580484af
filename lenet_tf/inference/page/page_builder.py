"""Builds the page of trained networks as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from lenet_tf.evaluation.html_pages import generator_tag
from lenet_tf.inference.page.packed_arrays import pack_text
from lenet_tf.inference.page.script_sources import build_import_map

_FOLDER = Path(__file__).parent
_STYLES = ("base", "drawing", "inside", "trials", "lessons")


def render_page(data: Mapping[str, Any], title: str, description: str) -> str:
    """Render the page.

    Args:
        data: What `scripts/main.js` reads, as values for JSON.
        title: The page's title.
        description: A sentence for search engines.

    Returns:
        HTML.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    styles = [(_FOLDER / "styles" / f"{name}.css").read_text("utf-8") for name in _STYLES]
    return environment.get_template("page.html.j2").render(
        generator=generator_tag("page"),
        title=title,
        description=description,
        styles="\n".join(styles),
        scripts=pack_text(json.dumps(build_import_map(), ensure_ascii=False)),
        bootstrap=(_FOLDER / "bootstrap.js").read_text("utf-8"),
        data=_to_script_json(data),
    )


def _to_script_json(value: Any) -> str:
    """Format JSON that cannot end the script element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def collect_preset_data(names: Sequence[str]) -> dict[str, Any]:
    """Collect what the page of presets shows. TEMPORARY shape; see the brief."""
    import numpy as np

    import lenet_tf
    from lenet_tf.inference.page.kernel_history import describe_kernel_histories
    from lenet_tf.inference.page.network_data import describe_network
    from lenet_tf.inference.page.packed_arrays import pack_arrays
    from lenet_tf.inference.rejection import FOLDER, read_facts
    from lenet_tf.pretrained.locate import read_any
    from lenet_tf.pretrained.presets import find_preset
    from lenet_tf.pretrained.reading import read_network

    data = lenet_tf.load_data("sample")
    chosen = np.concatenate([np.flatnonzero(data.y_test == label)[:10] for label in range(10)])
    return {
        "networks": [
            describe_network(read_any(name), find_preset(name).variant, find_preset(name).title)
            for name in names
        ],
        "examples": {
            "images": pack_arrays([data.x_test[chosen]]),
            "labels": data.y_test[chosen].tolist(),
            "numbers": chosen.tolist(),
        },
        "detector": describe_network(read_network(FOLDER / "digit-detector.keras"), "", ""),
        "thresholds": list(read_facts().thresholds),
        "kernelHistory": describe_kernel_histories(
            {preset.variant: preset for preset in map(find_preset, names)}
        )[0],
        "pictureInput": "digit",
    }
