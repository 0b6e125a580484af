"""`lenet-tf summary`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from lenet_tf.specs import VARIANTS

MENU = Path(__file__).parent.parent / "examples" / "menu.toml"


def test_summary_shows_every_number(cli):
    result = cli("summary", "lenet5")
    assert result.exit_code == 0
    rows = {
        cells[0]: cells for cells in (line.split() for line in result.output.splitlines()) if cells
    }
    assert rows["C1"] == [
        "C1",
        "convolution",
        "(same)",
        "6",
        "28×28",
        "5×5",
        "1",
        "tanh",
        "156",
        "122,304",
        "117,600",
        "5×5",
    ]
    assert rows["S4"] == [
        "S4",
        "average",
        "pooling",
        "16",
        "5×5",
        "2×2",
        "2",
        "–",
        "–",
        "1,600",
        "–",
        "16×16",
    ]
    assert rows["C5"] == [
        "C5",
        "dense",
        "–",
        "120",
        "–",
        "–",
        "tanh",
        "48,120",
        "48,120",
        "48,000",
        "28×28",
    ]
    assert rows["sum"] == ["sum", "61,706", "429,342", "416,520"]
    assert "…" not in result.output


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("columns", [80, 125])
def test_summary_fits_into_the_terminal(variant, columns):
    from rich.console import Console

    from lenet_tf.evaluation import spec_tables, spec_text

    console = Console(width=columns, record=True, file=io.StringIO())
    heading, description = spec_text.describe_spec(VARIANTS[variant], columns)
    console.print(
        spec_tables.build_architecture_table(
            VARIANTS[variant], wide=columns >= spec_tables.FULL_WIDTH
        )
    )
    lines = [heading, *console.export_text().splitlines(), *description.splitlines()]
    assert max(map(len, lines)) <= columns
    assert "…" not in "".join(lines)
    assert f"{VARIANTS[variant].connections:,}" in "".join(lines)


def test_summary_shows_the_recipe_and_the_departures(cli):
    lenet5, lenet1, menu = (
        " ".join(cli("summary", name).output.split()) for name in ("lenet5-1998", "lenet1", MENU)
    )
    assert (
        "images mnist, 32×32×1 padded to 32×32, normalization lecun1998"
        " recipe sdlm at 0.0005 ×2, 0.0002 ×3, 0.0001 ×3"
    ) in lenet5
    assert lenet5.count(" departs ") == len(VARIANTS["lenet5-1998"].departures)
    assert "images mnist, 28×28×1, digits reduced to 16×16, normalization lecun1998" in lenet1
    assert (
        "distorted by translation 1.5, scaling 0.1, squeezing 0.1, shear 0.15, elastic 20,"
        " elastic_sigma 4"
    ) in menu


def test_summary_as_json(cli):
    facts = json.loads(cli("summary", "cnn-38k", "--json").output)
    assert facts["parameters"] == 38_390
    assert facts["layers"][1]["output_shape"] == [24, 24, 10]
    assert facts["recipe"]["optimizer"]["name"] == "adam"


def test_summary_compares_networks(cli):
    output = cli("summary", "--compare", "lenet1", "lenet5-1998", "lenet5", "mlp-300-100").output
    rows = {
        cells[0]: cells[1:] for cells in (line.split() for line in output.splitlines()) if cells
    }
    assert rows["lenet1"] == ["2,578", "98,442", "92,288", "12@4×4", "16×16"]
    assert rows["lenet5-1998"][:2] == ["60,000", "340,908"]
    assert rows["lenet5-1998"][3:] == ["120@1×1", "32×32"]
    assert rows["mlp-300-100"] == ["266,610", "266,610", "266,200", "–", "–"]
