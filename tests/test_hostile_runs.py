"""Hostile run folders of `soak/fuzz_runs.py`, a few of each kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from lenet_tf.errors import LenetError
from lenet_tf.runs.event_files import truncate_events

SOAK = Path(__file__).parent.parent / "soak"


@pytest.fixture
def hostile_events(monkeypatch):
    monkeypatch.syspath_prepend(str(SOAK))
    import hostile_events

    return hostile_events


def test_hostile_event_files_are_refused_or_truncated(hostile_events, tmp_path):
    outcomes = set()
    for number in range(150):
        content = hostile_events.make_event_file(Random(number))
        assert content == hostile_events.make_event_file(Random(number))
        (tmp_path / "train").mkdir(exist_ok=True)
        path = tmp_path / "train" / "events.out.tfevents.1.host.v2"
        path.write_bytes(content)
        try:
            truncate_events(tmp_path, 2, 40)
            outcomes.add("read")
            path.unlink(missing_ok=True)
        except LenetError as error:
            outcomes.add("refused" if len(str(error).splitlines()) <= 2 else "refused at length")
            assert path.read_bytes() == content, "refused without a change"
    assert outcomes == {"read", "refused"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["links", "event files", "run folders"])
def test_a_few_hostile_run_folders(kind, tmp_path):
    result = tmp_path / "result.json"
    arguments = ["--kind", kind, "--runs", "8", "--seed", "7", "--result", str(result)]
    subprocess.run([sys.executable, str(SOAK / "fuzz_runs.py"), *arguments], check=True)
    (line,) = json.loads(result.read_text())
    assert line["inputs"] == line["accepted"] + line["refused"] == 8
    assert (line["crashes"], line["hangs"]) == ([], [])
