"""Notices and tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def print_notice(message: str) -> None:
    """Print a message in a frame on stderr.

    Args:
        message: The text.
    """
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(
        Panel(Text(message), title="NOTICE", border_style="bold yellow", style="bold")
    )


def create_console() -> Console:
    """Create a console for tables on stdout.

    Returns:
        A console as wide as the terminal, or as the widest table if stdout is a file or a pipe.
    """
    from rich.console import Console

    from lenet_tf.evaluation.spec_tables import FULL_WIDTH

    console = Console()
    if not console.is_terminal:
        console.width = FULL_WIDTH
    return console
