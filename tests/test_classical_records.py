"""Records of classical methods: compared with new runs, and refused when damaged."""

from __future__ import annotations

import json

import pytest
from classical_rows import make_classical_record, make_classical_row

from lenet_tf.errors import RunError
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.verdicts import CLASSICAL_TOLERANCE, check_new_record, compare_classical


@pytest.mark.parametrize(
    ("accuracy", "changes", "agrees", "message"),
    [
        (0.9, {}, True, "equal to its record, in all predictions"),
        (0.9, {"data": {"sha256": "e"}}, False, "the data differ"),
        (0.899, {}, False, "NOT equal to its record: 0.10% from it"),
        (0.899, {"numpy": "3"}, True, "within 0.1%: different versions"),
        (0.901, {"scipy": "3"}, True, "within 0.1%: different versions"),
        (0.898, {"scikit-learn": "3"}, False, "NOT within 0.1%: different versions"),
        (0.8, {"python": "4"}, False, "NOT equal to its record: 10.00% from it"),
    ],
)
def test_predictions_are_equal_or_within_a_tolerance_on_other_versions(
    accuracy, changes, agrees, message, tmp_path
):
    assert CLASSICAL_TOLERANCE == 0.001
    row, store = make_classical_row("knn"), RecordStore.for_folder(tmp_path)
    store.add(row, make_classical_record(row, 0, 0.9))
    new = make_classical_record(row, 0, accuracy)
    new["data"] |= changes.get("data", {})
    new["versions"] |= {name: value for name, value in changes.items() if name != "data"}
    verdict = check_new_record(store, row, new)
    assert (verdict.agrees, verdict.is_exact) == (agrees, True)
    assert message in verdict.message


def test_methods_with_seeds_are_compared_by_their_row_on_other_versions():
    one, other = (
        make_classical_record(make_classical_row("rbf"), 0, accuracy) for accuracy in (0.9, 0.8)
    )
    assert not compare_classical(one, other, is_random=True).agrees
    other["versions"]["scikit-learn"] = "2"
    verdict = compare_classical(one, other, is_random=True)
    assert (verdict.agrees, verdict.is_exact) == (True, False)


@pytest.mark.parametrize(
    ("part", "name", "value", "message"),
    [
        (None, "multiply_adds", -1, "multiply_adds must be a whole number >= 0"),
        (None, "peak_mib", "much", "peak_mib must be a number"),
        ("versions", "scikit-learn", None, "versions.scikit-learn must be a text"),
        ("test", "accuracy", 90, "test.accuracy must be a number <= 1"),
        (None, "digest", "0", "the plan now has another recipe for knn"),
        (None, "seed", 0, "two lines with the same seed"),
    ],
)
def test_damaged_records_are_refused_by_file_and_line(part, name, value, message, tmp_path):
    row, store = make_classical_row("knn"), RecordStore.for_folder(tmp_path)
    store.add(row, make_classical_record(row, 0, 0.9))
    record = make_classical_record(row, 1, 0.9)
    (record if part is None else record[part])[name] = value
    path = store.get_path(row)
    path.write_text(path.read_text() + json.dumps(record) + "\n")
    with pytest.raises(RunError, match=rf"knn\.jsonl.*{message}"):
        store.read(row)
