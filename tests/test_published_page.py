"""docs/page/index.html, which `make page` writes, is what the sources make now."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_data import DATA, read_page_data, unpack_arrays

import lenet_tf
from lenet_tf.inference.page.example_images import ExampleImages
from lenet_tf.inference.page.page_builder import collect_page_data, render_page
from lenet_tf.inference.page.page_networks import find_networks
from lenet_tf.inference.page.write_page import DEFAULT_MODELS, title_page

PAGE = Path(__file__).parent.parent / "docs" / "page" / "index.html"
SCRIPTS = re.compile(r'(<script[^>]* id="page-scripts">)(.*?)(</script>)', re.DOTALL)


def unpack_page(text: str) -> tuple[str, Any, Any]:
    """What a page is made of; two versions of zlib may compress the same in two ways."""
    (scripts,) = (match[1] for match in SCRIPTS.findall(text))
    (data,) = DATA.findall(text)
    frame = text.replace(scripts, "").replace(data, "")
    modules = json.loads(zlib.decompress(base64.b64decode(scripts)))
    return frame, modules, unpack_all(json.loads(data))


def unpack_all(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"type", "shapes", "data"}:
        return [(array.shape, array.dtype.str, array.tobytes()) for array in unpack_arrays(value)]
    if isinstance(value, dict):
        return {name: unpack_all(each) for name, each in value.items()}
    return [unpack_all(each) for each in value] if isinstance(value, list) else value


def read_examples(page: Path) -> ExampleImages:
    examples = read_page_data(page)["examples"]
    return ExampleImages(
        examples["data"],
        unpack_arrays(examples["images"])[0],
        np.array(examples["labels"]),
        np.array(examples["numbers"]),
        tuple(map(tuple, examples["misreadBy"])),
    )


def test_the_published_page_is_up_to_date():
    """Apart from its test images: MNIST is not on every machine."""
    networks = find_networks(DEFAULT_MODELS)
    content = collect_page_data(networks, read_examples(PAGE), print)
    made = unpack_page(render_page(content, title_page(networks)))
    found = unpack_page(PAGE.read_text("utf-8"))
    for part, other in zip(found, made, strict=True):
        assert part == other, "out of date. Run: make page"


@pytest.mark.slow
def test_the_published_page_has_test_images_of_mnist(originals, tmp_path):
    made = lenet_tf.write_page(path=tmp_path / "page.html", data="mnist", originals=originals)
    assert unpack_page(made.read_text("utf-8")) == unpack_page(PAGE.read_text("utf-8"))


def test_the_size_of_the_published_page():
    assert PAGE.stat().st_size <= 1_500_000
