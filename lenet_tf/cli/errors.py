"""Report errors of the command in one or two lines, with an exit code and without a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import click

from lenet_tf.errors import Interrupted, LenetError

_INTERRUPTED_EXIT_CODE = 130


class ErrorReportingGroup(click.Group):
    """A command group that prints every error of the user as a short message on stderr."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments."""
        with _short_usage_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        _check_current_folder()
        try:
            with _short_usage_errors():
                return super().invoke(ctx)
        except LenetError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            reason, file = error.strerror or error, error.filename or "while writing a file"
            raise click.ClickException(f"{reason}: {file}") from error
        except KeyboardInterrupt as error:
            _exit_after_interrupt(error)


def _check_current_folder() -> None:
    try:
        os.getcwd()
    except OSError as error:
        raise click.ClickException(
            "the current folder was deleted: go to another one (cd ~) and repeat the command"
        ) from error


def _exit_after_interrupt(error: KeyboardInterrupt) -> None:
    # Another Ctrl-C during Python's shutdown would print a traceback.
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    message, exit_code = "interrupted", _INTERRUPTED_EXIT_CODE
    if isinstance(error, Interrupted):
        message, exit_code = str(error), error.exit_code
    click.echo(f"\n{message}", err=True)
    raise click.exceptions.Exit(exit_code) from error


class _ShortUsageError(click.ClickException):
    """A usage error without Click's usage text."""

    exit_code = click.UsageError.exit_code

    def __init__(self, error: click.UsageError) -> None:
        ctx = error.ctx or click.get_current_context(silent=True)
        command = ctx.command_path if ctx else "lenet-tf"
        super().__init__(f"{error.format_message()} See {command} --help.")


@contextlib.contextmanager
def _short_usage_errors() -> Iterator[None]:
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        raise _ShortUsageError(error) from error
