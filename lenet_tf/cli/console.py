"""How the command speaks: mistakes in a line or two, notices that are seen, tables as wide as the place they go to."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import click

from lenet_tf.errors import Interrupted, LenetError


class Commands(click.Group):
    """Every mistake of a user ends in one message on stderr and an exit code other than 0, without a traceback."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _short_messages():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _short_messages():
                return super().invoke(ctx)
        except LenetError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(
                f"{error.strerror or error}: {error.filename or 'while a file was written'}"
            ) from error
        except KeyboardInterrupt as error:
            # Python's own ending, should Ctrl-C come once more, would show a traceback.
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            known = isinstance(error, Interrupted)
            click.echo(f"\n{error if known else 'interrupted'}", err=True)
            raise click.exceptions.Exit(error.exit_code if known else 130) from error


@contextlib.contextmanager
def _short_messages() -> Iterator[None]:
    """Click prints the usage before a message; here the message says where the usage is."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        ctx = error.ctx or click.get_current_context(silent=True)
        short = click.ClickException(
            f"{error.format_message()} See {ctx.command_path if ctx else 'lenet-tf'} --help."
        )
        short.exit_code = error.exit_code
        raise short from error


def notice(message: str) -> None:
    """A frame on stderr."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(
        Panel(Text(message), title="NOTICE", border_style="bold yellow", style="bold")
    )


def console() -> Any:
    """A file or a pipe has no width to fit: there tables are as wide as they need to be."""
    from rich.console import Console

    from lenet_tf.evaluation.spec_tables import FULL_WIDTH

    screen = Console()
    if not screen.is_terminal:
        screen.width = FULL_WIDTH
    return screen
