"""Report errors of the command in one or two lines, with an exit code and without a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import click

from lenet_tf.cli.output import OutputError, note, prepare_streams
from lenet_tf.errors import Interrupted, LenetError
from lenet_tf.runtime.output import write
from lenet_tf.runtime.signals import clean_termination
from lenet_tf.specs.synonyms import find_synonyms
from lenet_tf.text import escape_controls

_INTERRUPTED_EXIT_CODE = 130
# As Click exits when `head` closes the pipe.
_BROKEN_PIPE_EXIT_CODE = 1


class CommandError(click.ClickException):
    """An error with its message for stderr.

    Args:
        message: The text, without control characters other than newlines.
    """

    def show(self, file: Any = None) -> None:
        """Print the message. Nobody can read it if stderr is closed or broken."""
        note(f"Error: {self.format_message()}")


class _UsageError(CommandError):
    exit_code = click.UsageError.exit_code


class ErrorReportingGroup(click.Group):
    """A command group that prints every error of the user as a short message on stderr."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command with streams that take any text."""
        with prepare_streams(), _short_warnings(), clean_termination():
            try:
                return super().main(*args, **kwargs)
            except OSError as error:  # Click could not print the help or the version.
                _show_output_error(OutputError(error))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments."""
        with _short_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        _check_current_folder()
        try:
            with _short_errors():
                return super().invoke(ctx)
        except OutputError as error:
            _show_output_error(error)
        except LenetError as error:
            raise CommandError(str(error)) from error
        except ImportError as error:
            raise CommandError(
                f"a package that lenet_tf needs can't be loaded: {escape_controls(error)}. Is it"
                " installed, and is memory left (ulimit -v)?"
            ) from error
        except OSError as error:
            # Click prints the help of a subcommand itself.
            unwritten = write(sys.stdout, "")
            if unwritten is not None:
                _show_output_error(OutputError(unwritten))
            reason, file = error.strerror or error, error.filename or "while writing a file"
            raise CommandError(escape_controls(f"{reason}: {file}")) from error
        except KeyboardInterrupt as error:
            _exit_after_interrupt(error)


def _check_current_folder() -> None:
    try:
        os.getcwd()
    except OSError as error:
        raise CommandError(
            "the current folder was deleted: go to another one (cd ~) and repeat the command"
        ) from error


def _show_output_error(error: OutputError) -> None:
    if error.is_broken_pipe:
        sys.exit(_BROKEN_PIPE_EXIT_CODE)
    note(f"Error: {error}")
    sys.exit(1)


def _exit_after_interrupt(error: KeyboardInterrupt) -> None:
    # Another Ctrl-C during Python's shutdown would print a traceback.
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    message, exit_code = "interrupted", _INTERRUPTED_EXIT_CODE
    if isinstance(error, Interrupted):
        message, exit_code = str(error), error.exit_code
    note(f"\n{message}")
    raise click.exceptions.Exit(exit_code) from error


@contextlib.contextmanager
def _short_errors() -> Iterator[None]:
    """Leave out Click's usage text and escape what the user typed."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        ctx = error.ctx or click.get_current_context(silent=True)
        command = ctx.command_path if ctx else "lenet-tf"
        if isinstance(error, click.NoSuchOption) and ctx:
            meant = _find_meant_options(error.option_name, ctx.command) or error.possibilities
            error = click.NoSuchOption(error.option_name, possibilities=meant, ctx=ctx)
        message = escape_controls(error.format_message())
        raise _UsageError(f"{message} See {command} --help.") from error
    except click.ClickException as error:
        raise CommandError(escape_controls(error.format_message(), keep="\n")) from error


def _find_meant_options(name: str, command: click.Command) -> list[str]:
    """Return the options that other libraries call `name`."""
    options = [option for each in command.params for option in each.opts if option[:2] == "--"]
    words = {option[2:].replace("-", "_"): option for option in options}
    return [words[word] for word in find_synonyms(name.lstrip("-"), words)]


@contextlib.contextmanager
def _short_warnings() -> Iterator[None]:
    """Print warnings without a file name and a line of code."""

    def format_line(message: Warning | str, *_: Any, **__: Any) -> str:
        return f"Warning: {escape_controls(message)}\n"

    previous = warnings.formatwarning
    warnings.formatwarning = format_line
    try:
        yield
    finally:
        warnings.formatwarning = previous
