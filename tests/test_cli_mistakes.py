"""Mistakes on the command line: one short message, an exit code, no run folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from commands import check_refused


def test_an_unknown_augmentation(cli):
    check_refused(
        cli.train("tiny", "--data", "sample", "--augment", "afine"),
        "unknown augmentation 'afine': did you mean affine",
    )


def test_named_data_that_is_unavailable_is_an_error(cli, offline, tmp_path):
    check_refused(
        cli.train("--data", "mnist"),
        "mnist is unavailable",
        "Put t10k-images-idx3-ubyte.gz",
        "--originals <folder>",
    )
    assert not (tmp_path / "tfds").exists()


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["train", "lenet55"], ["unknown variant 'lenet55': did you mean lenet5"]),
        (["train", "xyz"], ["unknown variant 'xyz': lenet-tf variants lists them all"]),
        (["summary", "cnn38k"], ["did you mean cnn-38k"]),
        (["train", "--data", "mnistt"], ["unknown data set 'mnistt': did you mean"]),
        (
            ["train", "--epochs", "0"],
            [
                "Invalid value for '--epochs': 0 is not in the range x>=1",
                "See lenet-tf train --help",
            ],
        ),
        (["train", "--batch-size", "-2"], ["Invalid value for '--batch-size'"]),
        (["train", "--epochs", "many"], ["'many' is not a valid integer"]),
        (["train", "--validation", "7"], ["'7' is neither a fraction between 0 and 1 nor 'test'"]),
        (
            ["train", "--data", "sample", "--device", "gpu:99"],
            ["device 'gpu:99' is unavailable", "Use --device cpu"],
        ),
        (["train", "--data", "sample", "--device", "fpga"], ["unknown device 'fpga'"]),
        (
            ["train", "--data", "fashion-mnist"],
            ["unknown data set 'fashion-mnist': did you mean fashion_mnist"],
        ),
        (
            ["train", "--data", "mnist:9.9.9"],
            ["data set 'mnist:9.9.9' cannot be opened", "only: 3.0.1"],
        ),
        (
            ["train", "--data", "mnist/foo"],
            ["mnist has no configuration 'foo': mnist has no configurations"],
        ),
        (["train", "--data", "huggingface:mnist"], ["unknown data set 'huggingface:mnist'"]),
        (["train", "--data", "resisc45"], ["TFDS cannot download resisc45"]),
        (["train", "--data", "quickdraw_bitmap"], ["and 340 more into <folder>/quickdraw_bitmap/"]),
        (["train", "--data", ""], ["unknown data set ''"]),
        (
            ["train", "--data", "own.npy"],
            [
                "'own.npy' is not a TFDS data set. Your own data can be a folder, .zip or .tar.gz"
                " of class folders of pictures (photos/cat/1.jpg), a .npz file or a folder of .npy"
                " files with x_train, y_train, x_test, y_test, a .csv table of labels and pixels,"
                " or a folder of four IDX files with MNIST's or EMNIST's names"
            ],
        ),
        (["train", "--originals", "nowhere"], ["the originals folder nowhere does not exist"]),
        (
            ["train", "--from-run", "nowhere"],
            ["nowhere is not a run folder: it has no config.json"],
        ),
        (
            ["train", "tiny", "--from-run", "nowhere"],
            ["VARIANT, --spec and --from-run exclude each other"],
        ),
        (["evaluate", "nowhere"], ["there is no run, model or preset nowhere"]),
        (["evaluate", ".", "--data", "sample"], [". is not a run folder: it has no config.json"]),
        (["trian"], ["No such command 'trian'"]),
        (["--foo"], ["No such option '--foo'"]),
        (
            ["summary", "--jsn"],
            ["No such option '--jsn'", "'--json'", "See lenet-tf summary --help."],
        ),
        (["train", "--epoch", "3"], ["No such option '--epoch'", "--epochs"]),
        (
            ["train", "--data", "sample", "--validation", "0.0001"],
            ["cannot hold out 0.0001 of 4,000 images"],
        ),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_mistakes(cli, offline, arguments, messages):
    check_refused(cli(*arguments), *messages)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x_train": np.zeros((40, 783), np.uint8)},
            "x_train must be (N, height, width) or (N, height, width, channels),"
            " not of shape (40, 783)",
        ),
        ({"x_train": np.zeros((40, 28, 28))}, "x_train are blank: every pixel is 0"),
        ({"x_test": np.full((20, 28, 28), 300)}, "x_test: values range from 300 to 300 in int64"),
        ({"y_test": np.full(20, 11)}, "y_test must lie in 0…9 for 10 classes, not in 11…11"),
        (
            {"y_train": np.full(40, -1)},
            "y_train has one class only, the label -1",
        ),
        ({"num_classes": np.array(5)}, "y_train must lie in 0…4 for 5 classes, not in 0…9"),
        ({"num_classes": np.array([10.0])}, "num_classes must be one whole number"),
        ({"y_train": np.arange(39) % 10}, "y_train: 39 labels for 40 images"),
    ],
)
def test_wrong_arrays(cli, arrays, change, message):
    np.savez("mine.npz", **arrays | change)
    check_refused(cli.train("tiny", "--data", "mine.npz"), message)


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_damaged_originals(cli, offline, originals, tmp_path, damage):
    folder = tmp_path / "originals" / "mnist"
    folder.mkdir(parents=True)
    for file in (originals / "mnist").iterdir():
        content = bytearray(file.read_bytes())
        if file.name.startswith("train-images"):
            content = (
                content[:-7] if damage == "truncated" else content[:-1] + bytes([content[-1] ^ 1])
            )
        (folder / file.name).write_bytes(content)
    message = {
        "truncated": "is not the published file: 9,912,415 bytes instead of 9,912,422",
        "altered": "was altered: SHA-256",
    }[damage]
    check_refused(cli.train("--originals", folder.parent), "train-images-idx3-ubyte.gz", message)


def test_a_log_folder_that_cannot_be_written(cli):
    Path("taken").write_text("a file")
    check_refused(
        cli.train("tiny", "--data", "sample", "--logs", "taken"),
        "cannot write runs to taken/fit: taken is not a folder",
        "--logs",
    )
    assert Path("taken").read_text() == "a file"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_log_folder(cli):
    Path("shut").mkdir(mode=0o500)
    check_refused(cli.train("tiny", "--data", "sample", "--logs", "shut"), "shut is not writable")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux")
def test_a_log_folder_that_refuses_new_folders(cli):
    check_refused(
        cli.train("tiny", "--data", "sample", "--logs", "/proc/self/fdinfo"), "/proc/self/fdinfo"
    )


def test_a_figure_does_not_replace_its_image(cli):
    from PIL import Image

    Image.new("L", (28, 28), 255).save("scan.png")
    Path("model.keras").touch()
    content = Path("scan.png").read_bytes()
    options = ["--model", "model.keras", "--picture", "./scan.png"]
    check_refused(cli("predict", "scan.png", *options), "would overwrite scan.png")
    assert Path("scan.png").read_bytes() == content


def test_a_link_to_itself_is_no_run(cli):
    Path("loop").symlink_to("loop")
    check_refused(cli("report", "loop"), "loop")
