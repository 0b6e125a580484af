"""A run under way: trains from the last finished epoch to the end, tests, and leaves its folder in order however it stops."""

from __future__ import annotations

import contextlib
import math
import shlex
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from numbers import Real
from pathlib import Path
from typing import Any

import keras
import numpy as np
from filelock import Timeout

from lenet_tf.data.dataset import Split
from lenet_tf.data.pipeline import evaluation_batches, training_batches
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, use_engine
from lenet_tf.errors import Interrupted, RunError, TrainingError
from lenet_tf.evaluation.evaluate import evaluate
from lenet_tf.io.atomic import WriteError, file_lock
from lenet_tf.models.curvature import CURVATURE_IMAGES, Curvature
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import SDLM
from lenet_tf.runs import checkpoints, run_folder
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runtime.environment import program_name
from lenet_tf.runtime.signals import ShutdownRequest, graceful_interrupt
from lenet_tf.specs import Spec
from lenet_tf.training import callbacks as watchers
from lenet_tf.training.messages import resume_command
from lenet_tf.training.tensorboard.callback import TensorBoard, log_run_end


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Raises `RunError` while another process trains in the run folder."""
    try:
        with file_lock(folder / ".lock"):
            yield
    except Timeout as error:
        raise RunError(
            f"another process is training in {folder}: wait for it, or stop it first"
        ) from error


@dataclass
class Trainer:
    """What a run needs to go on: a compiled network with the weights and the optimizer of the last finished epoch, which `progress` names.

    `extra`: a user's own callbacks; `quiet`: nothing is printed; `report`: report.html is made at the end.
    """

    network: LeNet
    loop: GraphLoop | None
    spec: Spec
    divided: Split
    folder: Path
    seed: int
    progress: Progress
    early_stopping: int | None = None
    quiet: bool = False
    report: bool = True
    extra: Sequence[keras.callbacks.Callback] = ()

    def run(self) -> run_folder.Run:
        """Trains, tests and writes metrics.json. Raises `TrainingError`, `RunError` or `Interrupted`; finished epochs are kept then."""
        begin, before = time.perf_counter(), sum(self.progress.history.get("seconds", ()))
        with graceful_interrupt() as asked, self._telling(lambda: asked.exit_code):
            if not self._over():
                self._train(asked)
            if asked.signal and not self._over():
                raise KeyboardInterrupt
            test = evaluate(self.network, self.divided.raw)
            if not math.isfinite(test["loss"]):
                raise self._diverged("on the test images")
            log_run_end(
                self.folder, self.network, self.spec, self.divided, test, self.progress.epochs
            )
            finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
            metrics = self._metrics(test) | {
                "seconds": before + time.perf_counter() - begin,
                "finished": finished,
            }
            with self._writing():
                run_folder.write_json(self.folder / "metrics.json", metrics)
            if asked.signal:
                raise KeyboardInterrupt
            # Nothing is lost with a report.
            asked.waits = False
            if self.report:
                self._report(test)
        return run_folder.Run(self.folder, self.progress.history, metrics, self.network)

    def _report(self, test: dict[str, float]) -> None:
        # Not before it is needed: matplotlib takes a second to start.
        from lenet_tf.evaluation.run_report import build_evaluated_run, write_evaluated_run

        try:
            write_evaluated_run(
                build_evaluated_run(
                    run_folder.read_run(self.folder),
                    self.network,
                    self.progress.history,
                    self.divided.raw,
                    test,
                )
            )
        except RunError as error:
            again = f"{program_name('lenet-tf')} report {shlex.quote(str(self.folder))}"
            raise RunError(
                f"{self.folder} is complete, but has no report: {error}. Make it with:\n  {again}"
            ) from error
        except Exception as error:
            # The run is worth more than its pictures.
            warnings.warn(
                f"{self.folder} is complete, but has no report: {type(error).__name__}: {error}",
                stacklevel=2,
            )

    def _over(self) -> bool:
        return self.progress.is_over(self.spec.recipe.epochs, self.early_stopping)

    def _train(self, asked: ShutdownRequest) -> None:
        recipe, raw, loop = self.spec.recipe, self.divided.raw, self.loop
        steps = 1 if loop is None else loop.steps
        images_a_call = recipe.batch_size * steps
        x_validation, y_validation, held = self.divided.validation
        preparation = self.spec.preparation
        of_validation = preparation.of_test if self.divided.held is None else preparation
        batches = training_batches(
            raw.x_train,
            raw.y_train,
            raw.num_classes,
            preparation,
            batch_size=images_a_call,
            seed=self.seed,
            augmentation=recipe.augmentation,
            indices=self.divided.kept,
            first_epoch=self.progress.epochs,
            prepare=loop is None or loop.prepare is None,
        )
        nan, bar = watchers.StopAtNaN(steps), None if self.quiet else watchers.progress_bar()
        try:
            with use_engine(self.network, loop):
                self.network.fit(
                    batches,
                    steps_per_epoch=math.ceil(len(self.divided.kept) / images_a_call),
                    shuffle=False,
                    initial_epoch=self.progress.epochs,
                    epochs=recipe.epochs,
                    validation_data=evaluation_batches(
                        x_validation, y_validation, raw.num_classes, of_validation, indices=held
                    ),
                    callbacks=self._callbacks(nan, bar, asked),
                    verbose=0 if self.quiet or bar is not None else 2,
                )
        finally:
            if bar is not None:
                bar.on_train_end()
        if nan.failed_at:
            raise self._diverged(f"in {nan.failed_at}")

    def _finish(self, logs: Mapping[str, Any]) -> None:
        """Writes an epoch's files. It is finished when final.keras is in its place, and one with a NaN or infinite loss never is."""
        row = {name: float(value) for name, value in logs.items() if isinstance(value, Real)}
        if not all(math.isfinite(row.get(name, math.nan)) for name in ("loss", "val_loss")):
            return
        progress = replace(self.progress, rows=[*self.progress.rows, row])
        with self._writing():
            checkpoints.write_checkpoint(self.folder / "final.keras", self.network, progress)
            self.progress = progress
            checkpoints.update_best(self.folder, progress)
            run_folder.write_history(self.folder, progress.rows)

    def _callbacks(
        self, nan: watchers.StopAtNaN, bar: keras.callbacks.Callback | None, asked: ShutdownRequest
    ) -> list[keras.callbacks.Callback]:
        def over(logs: Mapping[str, Any]) -> bool:
            self._finish(logs)
            return bool(asked.signal) or self._over()

        return [
            watchers.EpochClock(),
            nan,
            TensorBoard(self.folder, self.spec, self.divided),
            watchers.ReseedLayers(self.seed),
            *self._between_epochs(),
            *([] if bar is None else [bar]),
            *self.extra,
            watchers.EpochEnd(over),
        ]

    def _between_epochs(self) -> list[keras.callbacks.Callback]:
        """What the recipe changes from epoch to epoch."""
        optimizer = self.spec.recipe.optimizer
        changing = (
            [keras.callbacks.LearningRateScheduler(optimizer.rate)]
            if isinstance(optimizer.learning_rate, tuple)
            else []
        )
        if isinstance(self.network.optimizer, SDLM):
            divided, preparation = self.divided, self.spec.preparation

            def images(chosen: np.ndarray) -> np.ndarray:
                return prepare_images(divided.raw.x_train[divided.kept[chosen]], preparation)

            changing.append(
                Curvature(
                    images,
                    len(divided.kept),
                    optimizer.curvature_images or CURVATURE_IMAGES,
                    self.seed,
                )
            )
        return changing

    @contextlib.contextmanager
    def _telling(self, exit_code: Any) -> Iterator[None]:
        """Turns what stops a run into a message that says what is kept and how to go on."""
        try:
            yield
        except KeyboardInterrupt as error:
            raise Interrupted(f"interrupted {self._state()}", exit_code()) from error
        except WriteError as error:
            if not self.folder.is_dir():
                raise RunError(
                    f"the run folder {self.folder} was deleted while the run wrote to it: nothing of the run is left"
                ) from error
            raise RunError(
                f"cannot write to {self.folder}: {error}; stopped {self._state()}"
            ) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """What fails here is the run's files, and no callback of a user's."""
        try:
            yield
        except OSError as error:
            raise WriteError(error.strerror or str(error)) from error

    def _state(self) -> str:
        done, epochs = self.progress.epochs, self.spec.recipe.epochs
        if (self.folder / "metrics.json").exists():
            lacks = self.report and not (self.folder / "report.html").exists()
            return f"when the run had finished: {self.folder} is complete{', but has no report' if lacks else ''}"
        return f"after {done} of {epochs} epochs. Go on with:\n{resume_command(self.folder)}"

    def _diverged(self, where: str) -> TrainingError:
        rate, done = f"{self.spec.recipe.optimizer.rate(0):g}", self.progress.epochs
        kept = (
            f"keeps the last finished epoch, {done}, in final.keras"
            if done
            else "has no finished epoch"
        )
        return TrainingError(
            f"the loss became NaN or infinite {where}: is the learning rate {rate} too high?\n{self.folder} {kept}"
        )

    def _metrics(self, test: dict[str, float]) -> dict[str, Any]:
        history, best = self.progress.history, self.progress.best
        return {
            "test_accuracy": test["accuracy"],
            "test_loss": test["loss"],
            "epochs": self.progress.epochs,
            "seconds_per_epoch": sum(history["seconds"]) / self.progress.epochs,
            "best_epoch": best + 1,
            "best_val_accuracy": history["val_accuracy"][best],
            "parameters": self.network.count_params(),
            "resumed": list(self.progress.resumed),
        }
