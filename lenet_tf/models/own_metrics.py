"""Loss and accuracy that the package computes itself, whatever a model is compiled with."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import keras

from lenet_tf.errors import TrainingError

# Names of a run's history. A compiled metric with such a name gets a prefix.
_RESERVED = {"loss", "accuracy", "seconds", "epoch", "learning_rate", "images_per_second"}
_RESERVED_PREFIXES = ("val_", "test_")
PREFIX = "compiled_"
# Methods whose results are called loss and accuracy. Those of a subclass would name others so.
_TESTING = (
    "compute_metrics",
    "evaluate",
    "get_metrics_result",
    "make_test_function",
    "reset_metrics",
    "test_step",
)


class OwnMetricsMixin:
    """Adds the package's own loss and accuracy to the results of a Keras model.

    Only inside `use_own_metrics`; elsewhere the model reports what it is compiled with.
    """

    own_metrics: OwnMetrics | None = None

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update all metrics with a batch and return their results."""
        if self.own_metrics is not None:
            self.own_metrics.accuracy.update_state(y, y_pred)
        return super().compute_metrics(x, y, y_pred, sample_weight)  # type: ignore[misc]

    def get_metrics_result(self) -> Any:
        """Return the results of all metrics by name."""
        if self.own_metrics is None:
            return super().get_metrics_result()  # type: ignore[misc]
        return self.own_metrics.collect_results(self.metrics)  # type: ignore[attr-defined]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        super().reset_metrics()  # type: ignore[misc]
        if self.own_metrics is not None:
            self.own_metrics.accuracy.reset_state()


class OwnMetrics:
    """The accuracy of the largest output, and the names under which other metrics appear.

    Args:
        has_twin: Whether the compiled metric `accuracy` is the same one, so that one is enough.
    """

    def __init__(self, has_twin: bool = False) -> None:
        self.accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
        self._has_twin = has_twin

    def collect_results(self, metrics: list[keras.metrics.Metric]) -> dict[str, Any]:
        """Return the results of a model's metrics by name; only `loss` and `accuracy` are certain.

        Args:
            metrics: `Model.metrics`, which begin with the mean of the model's loss.
        """
        results: dict[str, Any] = {}
        for number, metric in enumerate(metrics):
            if number == 0 and metric.name == "loss":
                results |= {"loss": metric.result(), "accuracy": self.accuracy.result()}
                continue
            result = metric.result()
            for name, value in (
                result.items() if isinstance(result, dict) else [(metric.name, result)]
            ):
                is_twin = self._has_twin and name == "accuracy"
                # A metric of several numbers, such as one per class, has no place in a history.
                if len(getattr(value, "shape", ())) == 0 and not is_twin:
                    results[_choose_name(name, results)] = value
        return {name: _to_number(results[name]) for name in sorted(results)}


def _choose_name(name: str, taken: dict[str, Any]) -> str:
    """Return the name under which a compiled metric appears."""
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        name = PREFIX + name
    while name in taken:
        name = PREFIX + name
    return name


def _to_number(value: Any) -> Any:
    """Return a number, or the tensor of a graph that is being traced."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


@contextlib.contextmanager
def use_own_metrics(model: Any, trains: bool = False) -> Iterator[None]:
    """Let a model report the package's own loss and accuracy inside the block.

    A model whose only metric is Keras' categorical accuracy reports them anyway. Methods with which
    a subclass tests itself are not used. Another thread that tests the same model waits for the end
    of the block.

    Args:
        model: A compiled and built `LeNet`.
        trains: Whether the model is trained inside the block.

    Raises:
        TrainingError: The model's metrics don't accept one-hot labels, or another thread trains it,
            for which a callback of that training may be waiting.
    """
    # A model has one set of metrics, which two tests at once would both fill.
    state = vars(model)
    lock = state.setdefault("_metrics_lock", threading.RLock())
    if not lock.acquire(blocking=False):
        if state.get("_is_training"):
            raise TrainingError(
                f"{model.name} is being trained by another thread: test it in a callback of that"
                " training, or afterwards"
            )
        lock.acquire()
    was_training = state.get("_is_training", False)
    try:
        state["_is_training"] = was_training or trains
        with _own_metrics(model):
            yield
    finally:
        state["_is_training"] = was_training
        lock.release()


@contextlib.contextmanager
def _own_metrics(model: Any) -> Iterator[None]:
    if model.own_metrics is not None:  # A callback of a training tests the model.
        yield
        return
    build_metrics(model)
    compiled = [metric for each in _find_compiled(model) for metric in each.metrics]
    named = [metric for metric in compiled if metric.name == "accuracy"]
    # The exact class: a metric of another class may only be called accuracy.
    has_twin = bool(named) and type(named[0]) is keras.metrics.CategoricalAccuracy
    usual = next(each for each in type(model).__mro__ if OwnMetricsMixin in each.__bases__)
    own = [name for name in _TESTING if _is_replaced(model, usual, name)]
    is_usual = not own and not _is_replaced(model, usual, "train_step")
    if is_usual and has_twin and len(compiled) == 1 and len(model.metrics) == 2:
        yield
        return

    def set_own_metrics(own_metrics: OwnMetrics | None) -> None:
        # Keras caches the graph of earlier calls, which depends on the metrics. `use_engine` resets
        # that of training, which Keras' own `fit` uses while a callback tests the model.
        model.own_metrics, model.test_function = own_metrics, None

    before = {name: vars(model)[name] for name in own if name in vars(model)}
    for name in own:
        # Keras tracks what is set in the usual way.
        object.__setattr__(model, name, getattr(usual, name).__get__(model))
    set_own_metrics(OwnMetrics(has_twin))
    try:
        yield
    finally:
        set_own_metrics(None)
        for name in own:
            object.__delattr__(model, name)
        for name, method in before.items():
            object.__setattr__(model, name, method)


def _is_replaced(model: Any, usual: type, name: str) -> bool:
    return name in vars(model) or getattr(type(model), name) is not getattr(usual, name)


def build_metrics(model: Any) -> None:
    """Build a model's metrics, which Keras does in the first step and would then trace twice.

    Args:
        model: A compiled and built `LeNet`.

    Raises:
        TrainingError: The metrics don't accept one-hot labels.
    """
    if all(metric.built for metric in _find_compiled(model)):
        return
    zeros = keras.ops.zeros((1, model.output_shape[-1]))
    try:
        model.compute_metrics(None, zeros, zeros)
    except Exception as error:  # Keras and custom metrics raise anything.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise TrainingError(
            f"{model.name} is compiled with metrics that one-hot labels don't fit: {reason}"
        ) from error
    model.reset_metrics()


def _find_compiled(model: Any) -> list[Any]:
    """Return Keras' container of the metrics that a model is compiled with, if there is one."""
    return [metric for metric in model.metrics if metric.name == "compile_metrics"]
