"""Model cards are generated, and model hubs can read their metadata."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import lenet_tf
from lenet_tf.evaluation.model_card import ModelCard, render_card
from lenet_tf.pretrained.presets import DEFAULT_PRESET, find_preset, list_presets
from lenet_tf.specs import get_spec

PRESETS = {preset.name: preset for preset in list_presets()}


def read_metadata(card: str) -> dict:
    yaml = pytest.importorskip("yaml", reason="pip install pyyaml")
    _, front, body = card.split("---\n", 2)
    assert body.startswith("\n# ")
    return yaml.safe_load(front)


@pytest.mark.parametrize("name", PRESETS)
def test_cards_are_generated(name: str) -> None:
    """`make presets ARGS=--cards` writes them again."""
    preset = PRESETS[name]
    card = render_card(ModelCard.from_preset(preset, preset.read().spec))
    assert preset.path.with_suffix(".md").read_text(encoding="utf-8") == card
    assert "\n\n\n" not in card and "None" not in card
    for part in (f"{preset.test_error:.2%}", preset.commit, preset.rule, *preset.class_names):
        assert part in card


@pytest.mark.parametrize("name", PRESETS)
def test_metadata_has_the_structure_that_hubs_read(name: str) -> None:
    preset = PRESETS[name]
    metadata = read_metadata(preset.path.with_suffix(".md").read_text(encoding="utf-8"))
    assert metadata["license"] == "mit" and metadata["library_name"] == "keras"
    assert metadata["pipeline_tag"] in metadata["tags"]
    (model,) = metadata["model-index"]
    (result,) = model["results"]
    (metric,) = result["metrics"]
    assert model["name"] == name
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"]["type"] == metadata["datasets"][0]
    assert result["dataset"]["name"] == preset.data_title
    assert metric["type"] in metadata["metrics"]
    assert metric["value"] == pytest.approx(1 - preset.test_error, abs=1e-9)


def test_a_card_of_a_users_network_escapes_its_texts() -> None:
    name = 'x: "y"\n---\nlicense: apache'
    data = "- [a](http://example.org)\n# b"
    spec = get_spec("tiny")
    card = render_card(ModelCard(name, name, name, spec, data, (data, "<b>"), (8, 8, 3)))
    metadata = read_metadata(card)
    assert "license" not in metadata and "model-index" not in metadata
    assert "[a](" not in card and "<b>" not in card
    assert "\n# b" not in card
    tested = ModelCard(name, name, name, spec, data, test_images=100, test_errors=3)
    (model,) = read_metadata(render_card(tested))["model-index"]
    assert model["name"] == name and model["results"][0]["dataset"]["type"] == data
    assert model["results"][0]["metrics"][0]["value"] == 0.97


def test_the_code_of_a_card_runs(tmp_path: Path) -> None:
    preset = find_preset(DEFAULT_PRESET)
    assert preset is not None
    card = preset.path.with_suffix(".md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert code is not None
    names = {"images": np.zeros((2, 28, 28), np.uint8), "lenet_tf": lenet_tf}
    exec(code[1], names)
    assert names["labels"].shape == (2,)
