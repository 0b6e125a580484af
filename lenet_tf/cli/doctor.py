"""`lenet-tf doctor`: check this machine and its data."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lenet_tf.cli.options import ORIGINALS
from lenet_tf.cli.output import echo
from lenet_tf.runtime.environment import program_name
from lenet_tf.text import escape_controls

if TYPE_CHECKING:
    from lenet_tf.cli.doctor_checks import Finding

# The column at which the states stand.
_INDENT = 23
# In a file or a pipe each finding is one line.
_UNWRAPPED = 10_000


@click.command(short_help="Check this machine and its data.")
@ORIGINALS
def doctor(originals: str | None) -> None:
    """Check versions, devices and data sets, and print the command that fixes a problem.

    The exit code is 1 if training is impossible.
    """
    from lenet_tf.cli.console import create_console
    from lenet_tf.cli.doctor_checks import run_checks

    console = create_console()
    width = console.width if console.is_terminal else _UNWRAPPED
    findings = run_checks(originals)
    for finding in findings:
        mark = "!" if finding.remedy else "✓"
        echo(_wrap(f"{mark} {escape_controls(finding.subject):<20} ", finding.state, width))
        if finding.remedy:
            echo(_wrap(" " * _INDENT + "→ ", finding.remedy, width))
    echo(f"\n{_conclude(findings)}")
    if any(finding.is_fatal for finding in findings):
        sys.exit(1)


def _wrap(start: str, text: str, width: int) -> str:
    """Wrap a text behind the start of its line. Words, such as paths, stay whole."""
    return textwrap.fill(
        escape_controls(text),
        max(width, 2 * _INDENT),
        initial_indent=start,
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _conclude(findings: Sequence[Finding]) -> str:
    """Say whether training works."""
    if any(finding.is_fatal for finding in findings):
        return "Training does not work yet: fix the lines marked !, from the top."
    command = f"{program_name('lenet-tf')} train"
    if any(finding.remedy for finding in findings):
        return f"Training works ({command}). The lines marked ! say what is limited."
    return f"All is well. Train LeNet-5: {command}"
