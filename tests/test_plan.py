"""The plan of the reproduction table and the claims tested on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick import fit
from reproduction import make_row

import lenet_tf
from lenet_tf.errors import SpecError
from lenet_tf.reproduce.claims import COMPARISONS
from lenet_tf.reproduce.plan import ROWS, get_rows
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.specs import Preparation, get_spec

ROOT = Path(__file__).parent.parent


def test_the_plan_has_the_required_rows():
    """Name → number of seeds, and the target error in %."""
    required = {
        "lenet5": (10, None),
        "lenet5-divided-twice": (3, None),
        "lenet5-1998": (5, 1.10),
        "lenet5-1998-eq8": (5, 1.10),
        "lenet5-1998-eq8-half-rates": (5, 1.10),
        "lenet5-1998-distorted": (3, 0.95),
        "lenet1": (3, 1.7),
        "lenet4": (3, 1.1),
        "lenet4-distorted": (3, None),
        "mlp-300-100": (3, 3.05),
        "cnn-38k": (5, 1.0),
        "lenet5-held-back": (5, None),
        "lenet5-3x3": (5, None),
        "lenet5-max": (5, None),
        "lenet5-no-padding": (5, None),
        "lenet5-fashion": (3, None),
        "lenet5-modern-accurate": (5, 0.55),
        "lenet5-modern-fashion": (3, None),
    }
    rows = {row.name: row for row in ROWS}
    for name, (seeds, target) in required.items():
        assert rows[name].seeds >= seeds
        assert rows[name].target_error == target
    assert len({row.digest for row in ROWS}) == len(ROWS) == len(rows)


def test_rows_differ_as_their_titles_say():
    rows = {row.name: row.spec for row in ROWS}
    base = rows["lenet5-held-back"]
    assert rows["lenet5"] == get_spec("lenet5")
    assert rows["lenet5"].recipe.validation == "test"
    for name in ("lenet5-held-back", "lenet5-3x3", "lenet5-max", "lenet5-no-padding"):
        assert (rows[name].recipe, rows[name].preparation) == (base.recipe, base.preparation)
        assert rows[name].recipe == replace(get_spec("lenet5").recipe, validation=0.1)
    assert [row.pool for row in rows["lenet5-max"].rows if row.kind == "pooling"] == ["max", "max"]
    assert rows["lenet5-no-padding"].layers[1].output_shape == (24, 24, 6)
    assert rows["lenet5-no-padding"].parameters == 44_426
    assert rows["lenet5-divided-twice"].preparation.test_normalization == "unit_twice"
    assert (rows["lenet5-1998"].recipe.loss, rows["lenet5-1998-eq8"].recipe.loss) == (
        "lecun1998_map",
        "lecun1998_mle",
    )
    assert rows["lenet5-1998-distorted"].recipe.augmentation is not None
    for comparison in COMPARISONS:
        assert {comparison.better, comparison.worse} <= rows.keys()
        if comparison.shift:
            assert all(
                row.test_shifted
                for row in ROWS
                if row.name in (comparison.better, comparison.worse)
            )


def test_rejected_settings_have_their_own_rows():
    """Also LeNet-1 with the digits of the other networks."""
    rows = {row.name: row for row in ROWS}
    for name, rejected in (
        ("lenet4", "lenet4-paper-rates"),
        ("lenet5-1998-eq8-half-rates", "lenet5-1998-eq8"),
    ):
        rates, rejected_rates = (
            rows[each].spec.recipe.optimizer.learning_rate for each in (name, rejected)
        )
        assert [2 * rate for rate in rates] == pytest.approx(rejected_rates)
        assert rejected_rates == get_spec("lenet5-1998").recipe.optimizer.learning_rate
    sizes = [
        rows[name].spec.preparation.digit_size
        for name in ("lenet1", "lenet1-20x20", "lenet4", "lenet5-1998")
    ]
    assert sizes == [16, None, None, None]


def test_only_the_tutorials_rows_validate_on_test_images():
    """Only one of them shows its best epoch; every other result is that of the last epoch."""
    assert {row.name for row in ROWS if row.spec.recipe.validation == "test"} == {
        "lenet5",
        "lenet5-divided-twice",
    }
    assert {row.name for row in ROWS if row.show_best_epoch} == {"lenet5"}


def test_an_unknown_row_suggests_the_nearest_names():
    assert [row.name for row in get_rows(("lenet1", "cnn-38k", "lenet1"))] == ["lenet1", "cnn-38k"]
    assert get_rows(()) == ROWS
    with pytest.raises(SpecError, match="unknown row 'lenet5-1989': did you mean lenet5-1998"):
        get_rows(("lenet5-1989",))


def test_a_row_survives_json():
    for row in ROWS:
        again = TableRow.from_dict(json.loads(json.dumps(row.to_dict())))
        assert (again.digest, again.spec) == (row.digest, row.spec)
    assert make_row(2).digest != make_row(3).digest
    assert make_row().digest != make_row(data="mnist").digest


def test_test_images_are_divided_twice_as_in_the_tutorial(digits, tmp_path):
    """Training is unchanged; validation and test images lie between 0 and 1/255."""
    spec = replace(
        get_spec("tiny"), recipe=replace(get_spec("tiny").recipe, validation="test", epochs=12)
    )
    twice = replace(spec, preparation=Preparation(test_normalization="unit_twice"))
    once, erratum = (
        fit(each, digits, seed=1, logs=tmp_path, device="cpu", quiet=True) for each in (spec, twice)
    )
    for first, second in zip(once.model.get_weights(), erratum.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    images = digits.x_test[..., None].astype("float32") / 255 / 255
    predictions = once.model.predict(images, verbose=0).argmax(axis=1)
    assert erratum.metrics["test_accuracy"] == pytest.approx(
        np.mean(predictions == digits.y_test), abs=1e-6
    )
    assert erratum.history["val_accuracy"][-1] == pytest.approx(erratum.metrics["test_accuracy"])
    assert lenet_tf.evaluate(erratum.path, digits)["accuracy"] == pytest.approx(
        erratum.metrics["test_accuracy"]
    )
    assert once.metrics["test_accuracy"] > erratum.metrics["test_accuracy"]
    # New images aren't the tutorial's test images: they are divided once.
    np.testing.assert_allclose(
        lenet_tf.predict_outputs(erratum, digits.x_test),
        lenet_tf.predict_outputs(once, digits.x_test),
        atol=1e-6,
    )


@pytest.mark.slow
def test_a_validation_split_is_never_divided_twice(digits, tmp_path):
    spec = replace(get_spec("tiny"), preparation=Preparation(test_normalization="unit_twice"))
    correct, erratum = (
        fit(each, digits, logs=tmp_path, device="cpu", quiet=True)
        for each in (get_spec("tiny"), spec)
    )
    assert correct.history["val_loss"] == erratum.history["val_loss"]
    assert correct.metrics["test_loss"] != erratum.metrics["test_loss"]


def test_the_results_page_says_how_many_shifted_digits_lose_ink(originals):
    inked = lenet_tf.load_data("mnist", originals).x_test > 0
    for pixels, percentage in ((1, "0.3"), (2, "3.0"), (3, "9.1"), (4, "21.4")):
        edges = (
            inked[:, :pixels],
            inked[:, -pixels:],
            inked[:, :, :pixels],
            inked[:, :, -pixels:],
        )
        assert f"{100 * np.mean([edge.any(axis=(1, 2)) for edge in edges]):.1f}" == percentage
    page = (ROOT / "results" / "README.md").read_text()
    assert "with 1 to 4 pixels this happens in 0.3, 3.0, 9.1 and 21.4%" in page
