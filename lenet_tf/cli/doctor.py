"""`lenet-tf doctor`: check this machine and its data."""

from __future__ import annotations

import sys

import click

from lenet_tf.cli.options import ORIGINALS
from lenet_tf.cli.output import echo
from lenet_tf.text import escape_controls


@click.command(short_help="Check this machine and its data.")
@ORIGINALS
def doctor(originals: str | None) -> None:
    """Check versions, devices and data sets, and print the command that fixes a problem.

    The exit code is 1 if training is impossible.
    """
    from lenet_tf.cli.doctor_checks import run_checks

    findings = run_checks(originals)
    for finding in findings:
        state = escape_controls(finding.state)
        echo(f"{'!' if finding.remedy else '✓'} {escape_controls(finding.subject):<20} {state}")
        if finding.remedy:
            echo(f"  {'':<20} → {escape_controls(finding.remedy)}")
    if any(finding.is_fatal for finding in findings):
        sys.exit(1)
