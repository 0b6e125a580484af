"""Notices and tables on the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lenet_tf.cli.output import echo_raw
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import escape_controls

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_notice(message: str) -> None:
    """Print a message in a frame on stderr.

    Args:
        message: The text.
    """
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    STATUS.clear()
    text = Text(escape_controls(message, keep="\n"))
    Console(file=sys.stderr).print(
        Panel(text, title="NOTICE", border_style="bold yellow", style="bold")
    )


def create_console() -> Console:
    """Create a console for tables on stdout.

    Returns:
        A console as wide as the terminal, or as the widest table if stdout is a file or a pipe.
        Brackets and colons in names are no markup.
    """
    from rich.console import Console

    from lenet_tf.evaluation.spec_tables import FULL_WIDTH

    console = Console(markup=False, emoji=False, highlight=False)
    # COLUMNS=0 is no width.
    if not console.is_terminal or console.width < 1:
        console.width = FULL_WIDTH
    return console


def print_table(console: Console, table: Table) -> None:
    """Print a table whose cells are already escaped.

    Args:
        console: What `create_console` returned.
        table: The table.

    Raises:
        OutputError: If stdout is closed, broken or full.
    """
    with console.capture() as capture:
        console.print(table)
    echo_raw(capture.get())
