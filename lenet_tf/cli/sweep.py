"""`lenet-tf sweep`: search the fields of a network and its recipe on held-back images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.inputs import pop_read_options
from lenet_tf.cli.options import ORIGINALS, PoolOptions, add_pool_options, add_read_options
from lenet_tf.cli.output import echo
from lenet_tf.text import escape_controls


@click.command(short_help="Search settings on held-back training images.")
@click.argument("space", metavar="SPACE.toml")
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="Number of trials.")
@add_pool_options
@click.option(
    "--best",
    type=click.IntRange(min=1),
    metavar="K",
    help="Number of best settings to repeat with fresh seeds. [default: 3]",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of fresh seeds of each of them; 0 repeats none. [default: 5]",
)
@click.option(
    "--test",
    is_flag=True,
    help="At the end, test the chosen setting, and only it, on the test images.",
)
@click.option(
    "--objective", metavar="NAME", help="error, accuracy or loss on the held-back images."
)
@click.option("--sampler", metavar="NAME", help="tpe or random.")
@click.option("--pruner", metavar="NAME", help="median, hyperband or none.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    help="Seed of the sampler, of the split and of the first trial. [default: 0]",
)
@click.option("--data", metavar="NAME", help="The data set, as in lenet-tf train.")
@ORIGINALS
@add_read_options
@click.option(
    "--device", metavar="NAME", default="auto", show_default=True, help="As in lenet-tf train."
)
@click.option("--name", metavar="NAME", help="Name of the sweep. [default: that of SPACE.toml]")
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="The sweep goes to LOGS/sweep/NAME/.",
)
@click.option(
    "--storage",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Optuna's journal of the sweep. [default: journal.log in the sweep's folder]",
)
@click.option(
    "--accept-changes",
    is_flag=True,
    help="Continue a sweep although ranges in SPACE.toml have changed.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only the result.")
def sweep(space: str, pool_options: PoolOptions, quiet: bool, **options: Any) -> None:
    """Search the fields of a network and its recipe that SPACE.toml gives, on held-back images.

    Every trial trains on the same part of the training images and is judged on the rest; the test
    images are never read. Unpromising trials are pruned. Then the best settings are repeated with
    fresh seeds. See examples/sweep.toml. Options replace what the file says. With --jobs 1, the
    same sweep makes the same trials again.

    Ctrl-C finishes the epochs in progress, a second one stops at once. Repeat the command to
    continue, also after a crash. The results are in LOGS/sweep/NAME/sweep.html.
    """
    read = pop_read_options(options)
    from lenet_tf.sweep.run import run_sweep
    from lenet_tf.sweep.runner import PAGE

    result = run_sweep(space, pool=pool_options.open(), read=read, quiet=quiet, **options)
    if quiet:
        from lenet_tf.sweep.progress import describe_result

        echo(describe_result(result))
    echo(f"wrote {escape_controls(result.path / PAGE)}")
