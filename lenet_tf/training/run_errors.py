"""Turns what stops a run into one message that says what is kept and how to resume."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lenet_tf.data.dataset import RawData
from lenet_tf.data.streaming import translate_read_errors
from lenet_tf.errors import DataError, DivergenceError, Interrupted, RunError
from lenet_tf.io.atomic import WriteError
from lenet_tf.io.tracking import track_folder
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime.signals import ShutdownRequest


@contextlib.contextmanager
def translate_run_errors(
    folder: Path, state: Callable[[Path], Sequence[str]], shutdown: ShutdownRequest, data: RawData
) -> Iterator[None]:
    """Translate interrupts, failed reads and failed writes inside the block.

    Args:
        folder: The run folder.
        state: Takes the run folder, and returns lines that say how far the run has come and how
            to resume it.
        shutdown: The signal that stops the run decides the exit code.
        data: The data set that the block reads.

    Raises:
        Interrupted: The block was interrupted.
        DataError: A file of the data set could not be read.
        RunError: A file of the run could not be written.
    """
    with track_folder(folder) as find_folder:
        try:
            with translate_read_errors(data.x_train, data.y_train, data.x_test, data.y_test):
                yield
        except KeyboardInterrupt as error:
            text = "\n".join(state(find_folder() or folder))
            raise Interrupted(f"interrupted {text}", shutdown.exit_code) from error
        except DataError as error:
            text, *lines = state(find_folder() or folder)
            raise DataError(*error.args, f"Stopped {text}", *lines) from error
        except WriteError as error:
            place = find_folder()
            if place is None:
                raise RunError(
                    f"the run folder {folder} was deleted while the run wrote to it: nothing of"
                    " the run is left"
                ) from error
            text, *lines = state(place)
            if place != folder:
                raise RunError(
                    f"the run folder {folder} was moved to {place} while the run wrote to it;"
                    f" stopped {text}",
                    *lines,
                ) from error
            raise RunError(f"cannot write to {folder}: {error}; stopped {text}", *lines) from error


def divergence_error(where: str, record: RunRecord, epochs: int) -> DivergenceError:
    """Return the error of a loss that is NaN or infinite.

    Args:
        where: Where the loss failed, such as `in epoch 2, batch 3`.
        record: The run.
        epochs: Finished epochs.
    """
    kept = "has no finished epoch"
    if epochs:
        kept = f"keeps the last finished epoch, {epochs}, in final.keras"
    return DivergenceError(
        f"the loss became NaN or infinite {where}: is the learning rate"
        f" {record.learning_rate:g} too high?",
        f"{record.path} {kept}",
    )


@contextlib.contextmanager
def translate_write_errors() -> Iterator[None]:
    """Mark an `OSError` inside the block as a failed write of the run's files.

    Raises:
        WriteError: A file could not be written. Errors of custom callbacks stay what they are.
    """
    try:
        yield
    except OSError as error:
        raise WriteError(error.strerror or str(error)) from error
