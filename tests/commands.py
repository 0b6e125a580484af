"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result


def get_only_run(folder: Path = Path()) -> Path:
    """The run folder below `logs`, which must be the only one."""
    (run,) = (folder / "logs" / "fit").iterdir()
    return run


def check_refused(result: Result, *messages: str) -> None:
    """An exit code, one or two lines with all messages, no traceback and no run folder."""
    assert result.exit_code not in (0, None), result.output
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    lines = result.stderr.strip().splitlines()
    assert len(lines) <= 2, result.stderr
    assert lines[0].startswith("Error: "), result.stderr
    for message in messages:
        assert message in result.stderr, result.stderr
    assert not Path("logs").exists()
