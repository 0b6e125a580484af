"""Networks in TOML files on the command line."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import check_refused, get_only_run
from quick import fit

import lenet_tf
from lenet_tf.runs.run_record import read_run

EXAMPLE = Path(__file__).parent.parent / "examples" / "lenet5.toml"
MENU = Path(__file__).parent.parent / "examples" / "menu.toml"


@pytest.mark.slow
def test_the_example_file_is_the_tutorials_network(cli):
    """The same seed gives bit-identical weights from the file and from the variant."""
    weights = []
    for number, network in enumerate((["--spec", EXAMPLE], ["lenet5"])):
        result = cli.train(
            *network,
            "--data",
            "sample",
            "--epochs",
            1,
            "--seed",
            3,
            "--device",
            "cpu",
            "--logs",
            number,
            "-q",
        )
        assert result.exit_code == 0, result.output
        (run,) = Path(str(number), "fit").iterdir()
        weights.append(lenet_tf.load_model(run).get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
    assert json.loads(cli("summary", EXAMPLE, "--json").output)["parameters"] == 61_706


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "filters = 6\n",
            "filtres = 6\n",
            "own.toml: lenet5, row 2 (convolution): unknown field 'filtres'; did you mean filters?",
        ),
        ("filters = 6\n", "", "own.toml: lenet5, row 2 (C1, convolution): filters must be given"),
        (
            "kernel = 5\n",
            "kernel = 15\n",
            "own.toml: lenet5, row 4 (C3, convolution):"
            " kernel 15×15 is larger than its input 14×14",
        ),
        (
            'kind = "flatten"',
            'kind = "flaten"',
            "own.toml: lenet5, row 6: unknown kind 'flaten'; did you mean flatten?",
        ),
        (
            "epochs = 10",
            "epochs = 0",
            "own.toml: recipe: epochs must be a whole number of at least 1, not 0",
        ),
        (
            'name = "adam"',
            'name = "adamm"',
            "own.toml: optimizer: unknown optimizer 'adamm': did you mean adam",
        ),
        ("[[rows]]\nkind", "[[row]]\nkind", "own.toml: lenet5: rows must be a list of rows"),
        ("units = 120", "units = ", "own.toml is not TOML: "),
    ],
)
def test_mistakes_in_a_file(cli, old, new, message):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    Path("own.toml").write_text(text.replace(old, new), encoding="utf-8")
    check_refused(cli.train("--spec", "own.toml", "--data", "sample"), message)
    check_refused(cli("summary", "own.toml"), message)


def test_the_menu_file_shows_every_option_and_works(cli, digits, tmp_path):
    from lenet_tf.specs import (
        Augmentation,
        Initializer,
        Optimizer,
        Preparation,
        Recipe,
        initializers,
        preparation,
        recipes,
        row_types,
        rows,
        rows_pooling,
        toml,
    )

    text = MENU.read_text(encoding="utf-8")
    names = {
        *row_types.ROW_TYPES,
        *rows.ACTIVATIONS,
        *rows_pooling.POOLINGS,
        *initializers.INITIALIZERS,
        *initializers.MODES,
    }
    names |= {
        *initializers.DISTRIBUTIONS,
        *recipes.OPTIMIZERS,
        *recipes.LOSSES,
        *preparation.NORMALIZATIONS,
    }
    for part in (
        *row_types.ROW_TYPES.values(),
        Augmentation,
        Initializer,
        Optimizer,
        Preparation,
        Recipe,
    ):
        names |= {field.name for field in dataclasses.fields(part)} - {"metrics"}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", text)] == []
    network = toml.load_spec(MENU)
    assert {row.kind for row in network.rows} == set(row_types.ROW_TYPES) - {"flatten"}
    run = fit(network, digits, logs=tmp_path, quiet=True)
    assert np.isfinite(run.history["loss"]).all()
    assert cli("summary", MENU).exit_code == 0


@pytest.mark.slow
def test_whole_numbers_and_a_changed_field(cli):
    """1 is a number too: Keras itself wants 1.0. The run's folder and record say what changed."""
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        'name = "adam"\nlearning_rate = 0.001', 'name = "sgd"\nlearning_rate = [1, 1]\nmomentum = 0'
    )
    Path("own.toml").write_text(text, encoding="utf-8")
    result = cli.train(
        "own.toml", "--data", "sample", "--epochs", 1, "--set", "recipe.optimizer.momentum=0.5"
    )
    assert result.exit_code == 0, result.output
    assert "\nchanged momentum 0.5 (0)\n" in result.output
    run = get_only_run()
    assert run.name.startswith("lenet5-momentum0.5-")
    record = read_run(run)
    assert record.spec.recipe.optimizer.momentum == 0.5
    assert record.settings["label"] == "-momentum0.5", "for --from-run"


def test_a_missing_file(cli):
    check_refused(cli("summary", "none.toml"), "cannot read none.toml: No such file or directory")


def test_a_byte_order_mark_is_no_part_of_the_network(tmp_path):
    """Editors of Windows write it."""
    file = tmp_path / "lenet5.toml"
    file.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.read_bytes())
    from lenet_tf.specs import toml

    assert toml.load_spec(file) == toml.load_spec(EXAMPLE)
