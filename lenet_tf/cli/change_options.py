"""Options that change a network and its recipe, for `lenet-tf train` and `lenet-tf summary`."""

from __future__ import annotations

from typing import Any

import click

from lenet_tf.errors import SpecError


def _parse_rate(_: click.Context, __: click.Parameter, value: str | None) -> Any:
    """Read one learning rate, or a list of them with or without brackets."""
    if value is None:
        return None
    words = value.strip().removeprefix("[").removesuffix("]").split(",")
    try:
        rates = [float(word) for word in words]
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is neither a number nor a list of them, one per epoch, such as 0.01,0.001."
        ) from error
    return rates if len(rates) > 1 else rates[0]


def _parse_fields(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> dict[str, Any] | None:
    from lenet_tf.specs.toml import parse_assignment

    try:
        return dict(parse_assignment(value) for value in values) or None
    except SpecError as error:
        raise click.BadParameter(f"{error}.") from error


CHANGE_OPTIONS = (
    click.option(
        "--lr",
        "--learning-rate",
        "learning_rate",
        callback=_parse_rate,
        metavar="RATE",
        help="Learning rate, or one per epoch: 0.01,0.001. With a one-cycle schedule, the peak.",
    ),
    click.option(
        "--optimizer",
        metavar="NAME",
        help="adam, adamw, sgd, rmsprop, adagrad or sdlm. Another one than the recipe's starts from"
        " Keras' defaults.",
    ),
    click.option("--momentum", type=float, help="Momentum of sgd or rmsprop."),
    click.option("--weight-decay", type=float, help="Weight decay of adamw."),
    click.option("--loss", metavar="NAME", help="Such as mean_squared_error."),
    click.option(
        "--label-smoothing", type=float, help="Fraction of the target that all classes share."
    ),
    click.option(
        "--activation", metavar="NAME", help="Activation of all hidden rows, such as relu."
    ),
    click.option(
        "--initializer", metavar="NAME", help="Initial weights of all hidden rows: he_normal, …"
    ),
    click.option("--pool", metavar="NAME", help="max, average, min, sum or stochastic."),
    click.option(
        "--dropout",
        type=float,
        metavar="RATE",
        help="Dropout behind each hidden dense row, or in the dropout rows that there are.",
    ),
    click.option(
        "--set",
        "changes",
        multiple=True,
        callback=_parse_fields,
        metavar="FIELD=VALUE",
        help="Any other field, such as recipe.optimizer.nesterov=true, preparation.pad_to=32 or"
        " rows.C1.filters=8. May be repeated.",
    ),
)
