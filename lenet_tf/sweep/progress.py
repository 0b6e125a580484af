"""What a sweep prints while it runs, and at its end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lenet_tf.runtime.environment import program_name
from lenet_tf.runtime.output import print_line
from lenet_tf.sweep.jobs import get_trial_seed
from lenet_tf.sweep.space import OBJECTIVES, Space
from lenet_tf.sweep.summary import Setting, Sweep, Trial
from lenet_tf.text import count_noun, escape_controls, quote_word


@dataclass(frozen=True)
class Progress:
    """Prints the trials of a sweep.

    Args:
        quiet: Print nothing.
    """

    quiet: bool = False

    def start(self, sweep: Sweep, slots: int, is_elastic: bool = False) -> None:
        """Print what is searched, and how many trials run at a time, for now or all the time."""
        space = sweep.space
        finished = sum(each.state != "unfinished" for each in sweep.trials)
        done = f", {finished} of them finished before" if finished else ""
        self._print(
            f"{count_noun(space.trials, 'trial')} of {space.network}{done}, {slots} at a time"
            f"{' now' if is_elastic else ''}; objective: {OBJECTIVES[space.objective][0]}\n"
            f"data    {sweep.data.get('name', '?')}: {space.get_validation():.0%} of the training"
            " images are held back; the test images aren't read\n"
            f"folder  {sweep.path}"
        )

    def print_trial(self, sweep: Sweep, number: int) -> None:
        """Print the result of a trial."""
        trial, best, space = sweep.trials[number], sweep.complete[:1], sweep.space
        result = trial.problem or "failed"
        if trial.value is not None:
            result = f"{OBJECTIVES[space.objective][0]} {format_value(space, trial.value)}"
        elif trial.state in ("invalid", "diverged", "failed"):
            result = f"{trial.state}: {result}"
        shown = ""
        if best and best[0].value is not None:
            shown = f"; best {format_value(space, best[0].value)} (trial {best[0].number})"
        done = sum(each.state != "unfinished" for each in sweep.trials)
        self._print(f"trial {number}: {result}{shown} · {done} of {space.trials}")

    def start_repeats(self, count: int) -> None:
        """Print that the best settings are repeated."""
        self._print(f"{count_noun(count, 'run')} of the best settings with fresh seeds")

    def print_repeat(self, space: Space, number: int, seed: int, result: Mapping[str, Any]) -> None:
        """Print the result of a repeat."""
        shown = result.get("problem")
        if shown is None:
            value = space.measure(result["accuracy"], result["loss"])
            shown = f"{OBJECTIVES[space.objective][0]} {format_value(space, value)}"
        self._print(f"setting of trial {number}, seed {seed}: {shown}")

    def print_result(self, sweep: Sweep) -> None:
        """Print the chosen setting, and what its value is worth."""
        self._print(describe_result(sweep))

    def _print(self, text: str) -> None:
        if not self.quiet:
            print_line(escape_controls(text, keep="\n"), error=False)


def describe_result(sweep: Sweep) -> str:
    """Describe the chosen setting, the bias of the choice, and the test."""
    space, best = sweep.space, sweep.best
    if best is None or best.value is None:
        return "no trial is complete"
    name = OBJECTIVES[space.objective][0]
    lines = [f"best    {describe_params(best)}"]
    lines.append(f"        {name} {format_value(space, best.value)} in trial {best.number}")
    if sweep.settings:
        lines.append(f"        {describe_setting(space, sweep.settings[0])}")
    if len(sweep.complete) > 1 and not math.isnan(sweep.expected_bias):
        lines.append(
            f"        The best of {len(sweep.complete)} trials looks better than it is, by up to"
            f" {format_difference(space, sweep.expected_bias)}."
        )
    for each in sweep.test:
        lines.append(f"test    {describe_test(each)}")
    lines.append(f"repeat  {build_command(sweep)}")
    return "\n".join(lines)


def describe_setting(space: Space, setting: Setting) -> str:
    """Return mean ± sd over the fresh seeds of a setting."""
    sd = "" if math.isnan(setting.sd) else f" ± {format_difference(space, setting.sd)}"
    seeds = count_noun(len(setting.values), "fresh seed")
    return f"{format_value(space, setting.mean)}{sd} over {seeds}"


def describe_test(test: Any) -> str:
    """Describe the result on the test images."""
    import statistics

    accuracies = test["accuracy"]
    sd = f" ± {100 * statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else ""
    seeds = f"{len(accuracies)} seeds" if len(accuracies) > 1 else "one seed"
    return (
        f"setting of trial {test['trial']}: test error"
        f" {100 * (1 - statistics.fmean(accuracies)):.2f}{sd}% ({seeds})"
    )


def describe_params(trial: Trial) -> str:
    """Return the fields of a trial in words."""
    return ", ".join(f"{name} {format_param(value)}" for name, value in trial.params.items())


def format_param(value: Any) -> str:
    """Return the value of a field for people."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def format_value(space: Space, value: float) -> str:
    """Return an objective for people."""
    return f"{value:.4f}" if space.objective == "loss" else f"{value:.2%}"


def format_difference(space: Space, value: float) -> str:
    """Return a difference between two objectives for people."""
    return f"{value:.4f}" if space.objective == "loss" else f"{100 * value:.2f} points"


def build_command(sweep: Sweep) -> str:
    """Build the command that trains the chosen setting, with a test at its end."""
    space, best = sweep.space, sweep.best
    assert best is not None
    values = {**space.settings, **space.changes, **sweep.best_values}
    network = values.pop("network", space.network)
    words = [program_name("lenet-tf"), "train", quote_word(network)]
    data = space.data or sweep.data.get("name")
    if data:
        words += ["--data", quote_word(data)]
    values["validation"] = space.get_validation()
    for name, value in values.items():
        words += _to_option(name, value)
    seeds = ["--seed", str(get_trial_seed(space, best.number)), "--split-seed", str(space.seed)]
    return " ".join([*words, *seeds])


_OPTIONS = ("recipe", "epochs", "batch_size", "early_stopping", "validation", "precision", "engine")
_CHANGES = ("optimizer", "momentum", "weight_decay", "loss", "label_smoothing", "activation")
_MORE_CHANGES = ("initializer", "pool", "dropout")


def _to_option(name: str, value: Any) -> list[str]:
    import json

    if name == "deterministic":
        return ["--deterministic"] if value else []
    text = value if isinstance(value, str) else json.dumps(value)
    if name == "augmentation":
        return ["--augment", quote_word(text)]
    if name == "learning_rate":
        return ["--lr", quote_word(text)]
    if name in (*_OPTIONS, *_CHANGES, *_MORE_CHANGES):
        return [f"--{name.replace('_', '-')}", quote_word(text)]
    return ["--set", quote_word(f"{name}={text}")]
