"""Trains a model in its run folder, and leaves the folder in order however it stops."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import keras

from lenet_tf.data.dataset import Split
from lenet_tf.engine.graph_loop import GraphLoop
from lenet_tf.engine.im2col import Im2colModel
from lenet_tf.engine.mirrored_loop import MirroredLoop
from lenet_tf.engine.selection import choose_engine
from lenet_tf.evaluation.evaluate import evaluate
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs import checkpoints, run_folder
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime.device import Device
from lenet_tf.runtime.output import print_line
from lenet_tf.runtime.signals import ShutdownRequest, graceful_interrupt
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import escape_controls
from lenet_tf.training import callbacks as own_callbacks
from lenet_tf.training.batches import build_batches
from lenet_tf.training.config import TrainConfig
from lenet_tf.training.copies import copy_state, use_loop
from lenet_tf.training.kernel_recorder import KernelRecorder
from lenet_tf.training.messages import resume_command, run_start_message
from lenet_tf.training.model_setup import build_for_training, recipe_callbacks, set_schedule
from lenet_tf.training.progress_display import create_progress_display
from lenet_tf.training.report import write_report
from lenet_tf.training.run_errors import (
    divergence_error,
    translate_run_errors,
    translate_write_errors,
)
from lenet_tf.training.saved_model import add_epoch, confirm_saved_model, write_checkpoint
from lenet_tf.training.tensorboard.callback import TensorBoard, log_run_end


@dataclass(kw_only=True)
class Trainer:
    """Trains a compiled model as a config says.

    Args:
        config: The settings of the run, with the network of `model`.
        split: The data set, split.
        model: A compiled model with its initial weights, or those of the last finished epoch.
        device: The device that trains.
        callbacks: Custom callbacks.

    Raises:
        TrainingError: The engine cannot train the model, or its metrics don't fit the labels.
    """

    config: TrainConfig
    split: Split
    model: LeNet
    device: Device
    callbacks: Sequence[keras.callbacks.Callback] = ()
    _progress: Progress = field(default_factory=Progress, init=False)
    _loop: GraphLoop | MirroredLoop | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        build_for_training(self.model, self.device)
        spec = self.config.spec
        # A batch larger than the training set is never full. TensorFlow computes the shapes of
        # full batches all the same, in 32 bits.
        size = min(spec.recipe.batch_size, len(self.split.train_indices) + 1)
        self._loop, self._loop_description = choose_engine(
            self.config.engine,
            replace(spec, recipe=replace(spec.recipe, batch_size=size)),
            self.model,
            self.device,
            len(self.split.train_indices),
        )
        if self._loop is not None:
            # XLA would compile each loop anew.
            self.model.jit_compile = False
        # What Keras' fit trains: the model, or its copy on several devices.
        self._trained = self.model

    @property
    def makes_patches(self) -> bool:
        """Whether convolutions are computed as matrix products of their patches."""
        return self._loop is not None and Im2colModel.from_model(self.model) is not None

    def run(
        self, record: RunRecord, progress: Progress, notes: Sequence[str] = ()
    ) -> run_folder.Run:
        """Train the remaining epochs, test unless the config forbids it, and write metrics.json.

        Args:
            record: The run folder, locked by the caller.
            progress: The finished epochs.
            notes: Lines to print first.

        Returns:
            The finished run.

        Raises:
            TrainingError: The loss became NaN or infinite.
            RunError: The folder cannot be written. Finished epochs are kept.
            Interrupted: Ctrl-C or SIGTERM. Finished epochs are kept.
        """
        self._record, self._folder, self._progress = record, record.path, progress
        start, seconds_before = time.perf_counter(), sum(progress.history.get("seconds", ()))
        if not progress.epochs:
            set_schedule(self.model, self.config.spec.recipe, len(self.split.train_indices))
        if not self.config.quiet:
            message = run_start_message(
                self.config,
                self.split,
                self.device,
                self._loop_description,
                record,
                finished_epochs=progress.epochs,
            )
            print_line("\n".join([*map(escape_controls, notes), message]))
        with (
            graceful_interrupt() as shutdown,
            translate_run_errors(self._folder, self._state, shutdown, self.split.data),
        ):
            self._kernels = KernelRecorder(record, self.model, progress.epochs, self.config.quiet)
            if not self._is_finished():
                self._train(shutdown)
            if shutdown.signal and not self._is_finished():
                raise KeyboardInterrupt
            confirm_saved_model(self._folder, self.model, self.split, self._progress)
            self._kernels.record(self._progress.epochs)
            test = evaluate(self.model, self.split.data) if self.config.test else {}
            if not math.isfinite(test.get("loss", 0)):
                raise divergence_error("on the test images", record, self._progress.epochs)
            log_run_end(
                self._record, self.config.board, self.model, self.split, test, self._progress.epochs
            )
            metrics = self._metrics(test)
            metrics["seconds"] = seconds_before + time.perf_counter() - start
            metrics["finished"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
            with translate_write_errors():
                run_folder.write_json(self._folder / run_folder.METRICS, metrics)
            if shutdown.signal:
                raise KeyboardInterrupt
            # The run is complete: nothing is lost if the report is interrupted.
            shutdown.waits = False
            if self.config.writes_report:
                write_report(record, self.model, self._progress.history, self.split.data, test)
        return run_folder.Run(
            self._folder, self._progress.history, metrics, record.config, self.model
        )

    def _is_finished(self) -> bool:
        return self._progress.is_over(self.config.spec.recipe.epochs, self.config.early_stopping)

    def _train(self, shutdown: ShutdownRequest) -> None:
        steps = 1 if self._loop is None else self._loop.steps_per_execution
        batches = build_batches(self.config, self.split, self._loop, self._progress.epochs)
        nan = own_callbacks.StopAtNaN(steps)
        display = create_progress_display(self.config, self.split, steps, shutdown)
        with STATUS.make_way(), use_loop(self.model, self._loop) as self._trained:
            self._trained.fit(
                **batches,
                shuffle=False,
                initial_epoch=self._progress.epochs,
                epochs=self.config.spec.recipe.epochs,
                callbacks=self._callbacks(nan, display, shutdown),
                verbose=0,
            )
        if nan.failed_at:
            raise divergence_error(f"in {nan.failed_at}", self._record, self._progress.epochs)

    def _finish_epoch(self, logs: Mapping[str, Any]) -> None:
        """Write the files of an epoch. Renaming final.keras finishes it."""
        copy_state(self._trained, self.model)
        progress = add_epoch(self._progress, self.model, logs)
        with translate_write_errors():
            write_checkpoint(self._folder / run_folder.FINAL, self.model, progress)
            self._progress = progress
            checkpoints.update_best(self._folder, progress)
            run_folder.write_history(self._folder, progress.rows)
        self._kernels.record(progress.epochs)

    def _callbacks(
        self,
        nan: own_callbacks.StopAtNaN,
        display: Sequence[keras.callbacks.Callback],
        shutdown: ShutdownRequest,
    ) -> list[keras.callbacks.Callback]:
        def finish_epoch(logs: Mapping[str, Any]) -> bool:
            # An epoch with a NaN or infinite loss is never finished.
            if not nan.failed_at:
                self._finish_epoch(logs)
            return bool(shutdown.signal) or self._is_finished()

        return [
            *own_callbacks.create_loggers(),
            nan,
            TensorBoard(self._record, self.config.board, self.split),
            own_callbacks.ReseedLayers(self.config.seed),
            *recipe_callbacks(self.config, self.split, self._trained, self._record),
            *display,
            *self.callbacks,
            own_callbacks.ModelGuard(self._trained),
            own_callbacks.EpochEnd(finish_epoch),
        ]

    def _state(self, folder: Path) -> tuple[str, ...]:
        """Return how far the run has come and how to resume it."""
        if (folder / run_folder.METRICS).exists():
            has_report = (folder / "report.html").exists() or not self.config.writes_report
            missing = "" if has_report else ", but has no report"
            text = f"when the run had finished: {escape_controls(folder)} is complete{missing}"
            return (text,)
        done, epochs = self._progress.epochs, self.config.spec.recipe.epochs
        return f"after {done} of {epochs} epochs. Resume with:", resume_command(folder)

    def _metrics(self, test: dict[str, float]) -> dict[str, Any]:
        history, best = self._progress.history, self._progress.best
        return {
            **{f"test_{name}": test[name] for name in ("accuracy", "loss") if name in test},
            "epochs": self._progress.epochs,
            "seconds_per_epoch": sum(history["seconds"]) / self._progress.epochs,
            "best_epoch": best + 1,
            "best_val_accuracy": history["val_accuracy"][best],
            "parameters": self.model.count_params(),
            "resumed": list(self._progress.resumed),
        }
