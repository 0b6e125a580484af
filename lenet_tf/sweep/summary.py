"""The results of a sweep, read from its study."""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenet_tf.sweep.space import Space
from lenet_tf.sweep.study import import_optuna

# What the study records of a trial, of a repeat and of tests.
RESULT, TEST, _REPEAT = "result", "test", "repeat"
# Complete trials from which the importance of fields is estimated.
MIN_FOR_IMPORTANCE = 10


@dataclass(frozen=True)
class Trial:
    """One trial of a sweep.

    Attributes:
        number: Its number, from 0.
        state: complete, pruned, diverged, invalid, failed or unfinished.
        params: Field to value, as the study knows them.
        value: The objective after the last epoch; None unless complete.
        reported: The last report to the study, which may be of an epoch before the last.
        epochs: Finished epochs.
        seconds: Seconds of training; None unless complete.
        problem: Why it isn't complete.
    """

    number: int
    state: str
    params: Mapping[str, Any]
    value: float | None = None
    reported: float | None = None
    epochs: int = 0
    seconds: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Setting:
    """A setting that was repeated with fresh seeds.

    Attributes:
        trial: The trial whose setting it is.
        values: Seed to objective.
    """

    trial: Trial
    values: Mapping[int, float]

    @property
    def mean(self) -> float:
        """Mean of the objective over the seeds."""
        return statistics.fmean(self.values.values())

    @property
    def sd(self) -> float:
        """Standard deviation of the objective over the seeds; NaN for one seed."""
        values = list(self.values.values())
        return statistics.stdev(values) if len(values) > 1 else math.nan


@dataclass(frozen=True)
class Sweep:
    """A sweep and its results.

    Attributes:
        path: The sweep's folder.
        name: Its name.
        space: What is searched.
        trials: All trials, in order.
        settings: The best settings that were repeated with fresh seeds, best mean first.
        importances: Field to its share of the differences between trials; empty for few trials.
        test: `trial`, `seeds`, and `accuracy` and `loss` on the test images, one for each seed;
            one such table for each setting that was tested.
        data: What the study records of the data set.
    """

    path: Path
    name: str
    space: Space
    trials: Sequence[Trial]
    settings: Sequence[Setting] = ()
    importances: Mapping[str, float] = field(default_factory=dict)
    test: Sequence[Mapping[str, Any]] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> list[Trial]:
        """The complete trials, best first."""
        sign = -1 if self.space.is_maximized else 1
        finished = [each for each in self.trials if each.value is not None]
        return sorted(finished, key=lambda each: (sign * (each.value or 0), each.number))

    @property
    def best(self) -> Trial | None:
        """The trial that is chosen: by the mean over fresh seeds, or by its own value."""
        if self.settings:
            return self.settings[0].trial
        return self.complete[0] if self.complete else None

    @property
    def best_values(self) -> dict[str, Any]:
        """Field to value of the chosen setting."""
        return {} if self.best is None else self.space.decode(self.best.params)

    @property
    def seed_sd(self) -> float:
        """Standard deviation of the objective between seeds, pooled over the settings."""
        variances = [each.sd**2 for each in self.settings if not math.isnan(each.sd)]
        return math.sqrt(statistics.fmean(variances)) if variances else math.nan

    @property
    def expected_bias(self) -> float:
        """By how much the best trial looks too good if all settings were equally good."""
        return expect_maximum(len(self.complete)) * self.seed_sd

    def choose_best(self, count: int) -> list[Trial]:
        """Choose the best trials with different settings."""
        chosen: list[Trial] = []
        for each in self.complete:
            if all(each.params != other.params for other in chosen):
                chosen.append(each)
        return chosen[:count]


def expect_maximum(count: int) -> float:
    """Return the expected largest of independent standard normal numbers.

    Args:
        count: How many.

    Example:
        >>> from lenet_tf.sweep.summary import expect_maximum
        >>> round(expect_maximum(40), 2)
        2.16
    """
    if count < 1:
        return math.nan
    from scipy.integrate import quad
    from scipy.stats import norm

    def integrand(x: float) -> float:
        return x * count * norm.pdf(x) * norm.cdf(x) ** (count - 1)

    return float(quad(integrand, -10, 10)[0])


def record_repeat(study: Any, number: int, seed: int, result: Mapping[str, Any]) -> None:
    """Record the result of a repeat in the study."""
    study.set_user_attr(f"{_REPEAT}/{number}/{seed}", dict(result))


def read_repeats(study: Any) -> dict[int, dict[int, dict[str, Any]]]:
    """Read the results of the repeats: trial to seed to result."""
    repeats: dict[int, dict[int, dict[str, Any]]] = {}
    for name, result in study.user_attrs.items():
        if name.startswith(f"{_REPEAT}/"):
            _, number, seed = name.split("/")
            repeats.setdefault(int(number), {})[int(seed)] = result
    return repeats


def summarize(study: Any, space: Space, folder: Path) -> Sweep:
    """Read the results of a sweep from its study.

    Args:
        study: Optuna's study.
        space: What is searched.
        folder: The sweep's folder.
    """
    trials = [_read_trial(each) for each in study.get_trials(deepcopy=False)]
    sign = -1 if space.is_maximized else 1
    settings = []
    for number, results in read_repeats(study).items():
        good = {seed: each for seed, each in results.items() if "problem" not in each}
        values = {
            seed: space.measure(each["accuracy"], each["loss"]) for seed, each in good.items()
        }
        if values and len(good) == len(results):
            settings.append(Setting(trials[number], values))
    attributes = study.user_attrs
    return Sweep(
        folder,
        study.study_name,
        space,
        trials,
        sorted(settings, key=lambda each: sign * each.mean),
        _estimate_importances(study, trials),
        attributes.get(TEST, []),
        attributes.get("data", {}),
    )


def _read_trial(trial: Any) -> Trial:
    result = trial.user_attrs.get(RESULT, {})
    reports = trial.intermediate_values
    is_complete = trial.state.name == "COMPLETE"
    return Trial(
        trial.number,
        "complete"
        if is_complete
        else result.get("kind", "unfinished")
        if trial.state.is_finished()
        else "unfinished",
        trial.params,
        trial.value if is_complete else None,
        reports[max(reports)] if reports else None,
        result.get("epochs", max(reports, default=0)),
        result.get("seconds") if is_complete else None,
        result.get("problem", ""),
    )


def _estimate_importances(study: Any, trials: Sequence[Trial]) -> dict[str, float]:
    complete = [each for each in trials if each.value is not None]
    if len(complete) < MIN_FOR_IMPORTANCE or len({each.value for each in complete}) < 2:
        return {}
    optuna = import_optuna()
    # Fields that only some trials have can't be compared with the others.
    shared = set.intersection(*(set(each.params) for each in complete))
    varied = [name for name in shared if len({each.params[name] for each in complete}) > 1]
    if not varied:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(
            study, evaluator=evaluator, params=sorted(varied)
        )
    return dict(found)
