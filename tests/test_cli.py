"""The `lenet-tf` command: what it prints, its exit codes, and that a mistake costs one clear message and no run folder."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import shlex
import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from conftest import NO_NETWORK, python

import lenet_tf
from lenet_tf.runs import run_record
from lenet_tf.specs import VARIANTS


def only_run(folder: Path = Path()) -> Path:
    (run,) = (folder / "logs" / "fit").iterdir()
    return run


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory) -> Path:
    """A run of `tiny`, to be copied."""
    return lenet_tf.fit("tiny", digits, logs=tmp_path_factory.mktemp("trained"), quiet=True).path


def refused(result, *messages: str) -> None:
    """Exit code ≠ 0, an error of one or two lines that says all `messages`, no traceback, no run folder."""
    assert result.exit_code not in (0, None), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(
        result.exception
    )
    lines = result.stderr.strip().splitlines()
    assert len(lines) <= 2, result.stderr
    assert lines[0].startswith("Error: "), result.stderr
    for message in messages:
        assert message in result.stderr, result.stderr
    assert not Path("logs").exists()


def test_help_summary_and_variants_leave_tensorflow_alone():
    for arguments in (
        ["--help"],
        ["summary", "lenet5"],
        ["summary", "--json"],
        ["variants"],
        ["train", "--help"],
        ["--version"],
    ):
        script = (
            f"import sys; from lenet_tf.cli import main; main({arguments!r}, standalone_mode=False);"
            "heavy = {'tensorflow', 'keras', 'tensorflow_datasets', 'numpy', 'sklearn'} & set(sys.modules); assert not heavy, heavy"
        )
        done = python("-c", script)
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout


def test_python_dash_m_is_the_command():
    assert (
        python("-m", "lenet_tf", "--version").stdout
        == f"lenet-tf, version {lenet_tf.__version__}\n"
    )


def test_summary_shows_every_number(cli):
    result = cli("summary", "lenet5")
    assert result.exit_code == 0
    rows = {
        cells[0]: cells for cells in (line.split() for line in result.output.splitlines()) if cells
    }
    assert rows["C1"] == [
        "C1",
        "convolution",
        "(same)",
        "6",
        "28×28",
        "5×5",
        "1",
        "tanh",
        "156",
        "122,304",
        "117,600",
        "5×5",
    ]
    assert rows["S4"] == [
        "S4",
        "average",
        "pooling",
        "16",
        "5×5",
        "2×2",
        "2",
        "–",
        "–",
        "1,600",
        "–",
        "16×16",
    ]
    assert rows["C5"] == [
        "C5",
        "dense",
        "–",
        "120",
        "–",
        "–",
        "tanh",
        "48,120",
        "48,120",
        "48,000",
        "28×28",
    ]
    assert rows["sum"] == ["sum", "61,706", "429,342", "416,520"]
    assert "…" not in result.output


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("columns", [80, 125])
def test_summary_fits_into_the_terminal(variant, columns):
    from rich.console import Console

    from lenet_tf.evaluation import spec_tables, spec_text

    console = Console(width=columns, record=True, file=io.StringIO())
    heading, description = spec_text.describe_spec(VARIANTS[variant], columns)
    console.print(
        spec_tables.build_architecture_table(
            VARIANTS[variant], wide=columns >= spec_tables.FULL_WIDTH
        )
    )
    lines = [heading, *console.export_text().splitlines(), *description.splitlines()]
    assert max(map(len, lines)) <= columns
    assert "…" not in "".join(lines)
    assert f"{VARIANTS[variant].connections:,}" in "".join(lines)


def test_summary_tells_the_recipe_and_the_departures(cli):
    text = " ".join(cli("summary", "lenet5-1998").output.split())
    assert (
        "images mnist, 32×32×1 padded to 32×32, normalization lecun1998 recipe sdlm at 0.0005 ×2, 0.0002 ×3, 0.0001 ×3"
        in text
    )
    assert text.count(" departs ") == len(VARIANTS["lenet5-1998"].departures)
    assert "images mnist, 28×28×1, digits reduced to 16×16, normalization lecun1998" in " ".join(
        cli("summary", "lenet1").output.split()
    )
    assert (
        "distorted by translation 1.5, scaling 0.1, squeezing 0.1, shear 0.15, elastic 20, elastic_sigma 4"
        in " ".join(cli("summary", MENU).output.split())
    )


def test_summary_as_json(cli):
    facts = json.loads(cli("summary", "cnn-38k", "--json").output)
    assert facts["parameters"] == 38_390
    assert facts["layers"][1]["output_shape"] == [24, 24, 10]
    assert facts["recipe"]["optimizer"]["name"] == "adam"


def test_variants_lists_all(cli):
    output = cli("variants").output
    assert all(
        re.search(rf"^ +{name} +{spec.parameters:,} ", output, re.MULTILINE)
        for name, spec in VARIANTS.items()
    )


def test_networks_side_by_side(cli):
    output = cli("summary", "--compare", "lenet1", "lenet5-1998", "lenet5", "mlp-300-100").output
    rows = {
        cells[0]: cells[1:] for cells in (line.split() for line in output.splitlines()) if cells
    }
    assert rows["lenet1"] == ["2,578", "98,442", "92,288", "12@4×4", "16×16"]
    assert rows["lenet5-1998"][:2] == ["60,000", "340,908"]
    assert rows["lenet5-1998"][3:] == ["120@1×1", "32×32"]
    assert rows["mlp-300-100"] == ["266,610", "266,610", "266,200", "–", "–"]


EXAMPLE = Path(__file__).parent.parent / "examples" / "lenet5.toml"


@pytest.mark.slow
def test_the_example_file_is_the_tutorials_network(cli):
    """The same seed gives bit-identical weights from the file and from the variant."""
    weights = []
    for number, network in enumerate((["--spec", EXAMPLE], ["lenet5"])):
        result = cli(
            "train",
            *network,
            "--data",
            "sample",
            "--epochs",
            1,
            "--seed",
            3,
            "--device",
            "cpu",
            "--logs",
            number,
            "-q",
        )
        assert result.exit_code == 0, result.output
        (run,) = Path(str(number), "fit").iterdir()
        weights.append(lenet_tf.load_model(run).get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
    assert json.loads(cli("summary", EXAMPLE, "--json").output)["parameters"] == 61_706


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "filters = 6\n",
            "filtres = 6\n",
            "own.toml: lenet5, row 2 (convolution): unknown field 'filtres'; did you mean filters?",
        ),
        ("filters = 6\n", "", "own.toml: lenet5, row 2 (convolution): filters must be given"),
        (
            "kernel = 5\n",
            "kernel = 15\n",
            "own.toml: lenet5, row 4 (C3, convolution): kernel 15×15 is larger than its input 14×14",
        ),
        (
            'kind = "flatten"',
            'kind = "flaten"',
            "own.toml: lenet5, row 6: unknown kind 'flaten'; did you mean flatten?",
        ),
        (
            "epochs = 10",
            "epochs = 0",
            "own.toml: recipe: epochs must be a whole number of at least 1, not 0",
        ),
        (
            'name = "adam"',
            'name = "adamm"',
            "own.toml: optimizer: unknown optimizer 'adamm': did you mean adam",
        ),
        ("[[rows]]\nkind", "[[row]]\nkind", "own.toml: lenet5: rows must be a list of rows"),
        ("units = 120", "units = ", "own.toml is not TOML: "),
    ],
)
def test_mistakes_in_a_file(cli, old, new, message):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    Path("own.toml").write_text(text.replace(old, new), encoding="utf-8")
    refused(cli("train", "--spec", "own.toml", "--data", "sample"), message)
    refused(cli("summary", "own.toml"), message)


MENU = EXAMPLE.with_name("menu.toml")


def test_the_menu_file_has_everything_and_works(cli, digits, tmp_path):
    from lenet_tf.specs import (
        Augmentation,
        Initializer,
        Optimizer,
        Preparation,
        Recipe,
        initializers,
        preparation,
        recipes,
        row_types,
        rows,
        rows_pooling,
        toml,
    )

    text = MENU.read_text(encoding="utf-8")
    names = {
        *row_types.ROW_TYPES,
        *rows.ACTIVATIONS,
        *rows_pooling.POOLINGS,
        *initializers.INITIALIZERS,
        *initializers.MODES,
    }
    names |= {
        *initializers.DISTRIBUTIONS,
        *recipes.OPTIMIZERS,
        *recipes.LOSSES,
        *preparation.NORMALIZATIONS,
    }
    for part in (*row_types.ROW_TYPES.values(), Augmentation, Initializer, Optimizer, Preparation, Recipe):
        names |= {field.name for field in dataclasses.fields(part)} - {"metrics"}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", text)] == []
    network = toml.load_spec(MENU)
    assert {row.kind for row in network.rows} == set(row_types.ROW_TYPES) - {"flatten"}
    run = lenet_tf.fit(network, digits, logs=tmp_path, quiet=True)
    assert np.isfinite(run.history["loss"]).all()
    assert cli("summary", MENU).exit_code == 0


def test_whole_numbers_in_a_file(cli):
    """1 is a number too: Keras itself wants 1.0."""
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        'name = "adam"\nlearning_rate = 0.001', 'name = "sgd"\nlearning_rate = [1, 1]\nmomentum = 0'
    )
    Path("own.toml").write_text(text, encoding="utf-8")
    result = cli("train", "--spec", "own.toml", "--data", "sample", "--epochs", 1, "-q")
    assert result.exit_code == 0, result.output


def test_a_file_that_is_not_there(cli):
    refused(cli("summary", "none.toml"), "cannot read none.toml: No such file or directory")


@pytest.mark.slow
def test_augment_on_the_command_line(cli):
    result = cli("train", "tiny", "--data", "sample", "--augment", "affine+elastic", "-q")
    assert result.exit_code == 0, result.output
    assert run_record.read_config(only_run())["recipe"]["augmentation"]["elastic"] == 34
    again = cli("train", "--from-run", only_run(), "--augment", "none", "--logs", "again", "-q")
    assert again.exit_code == 0, again.output
    (second,) = Path("again/fit").iterdir()
    assert run_record.read_config(second)["recipe"]["augmentation"] is None


def test_an_unknown_augmentation(cli):
    refused(
        cli("train", "tiny", "--data", "sample", "--augment", "afine"),
        "unknown augmentation 'afine': did you mean affine",
    )


def test_a_network_is_trained_on_its_own_data_set(cli, offline):
    """Never silently on another one: what is made for CIFAR-10 asks for it, and takes gray images only when told to."""
    refused(cli("train", "lenet5-color"), "cifar10 is unavailable", "cifar-10-binary.tar.gz")
    result = cli("train", "lenet5-color", "--data", "sample", "--epochs", 1, "--logs", "gray", "-q")
    assert result.exit_code == 0, result.output
    (run,) = Path("gray/fit").iterdir()
    assert lenet_tf.load_model(run).input_shape == (None, 32, 32, 3)
    lenet_tf.load_model(run).save("bare.keras")
    result = cli("evaluate", "bare.keras")
    assert result.exit_code != 0
    assert "cifar10 is unavailable" in result.stderr


def test_draw(cli):
    from PIL import Image

    for arguments in (
        ["codes", "codes.png"],
        ["distortions", "distortions.png", "--data", "sample", "--seed", 3],
    ):
        result = cli("draw", *arguments)
        assert result.exit_code == 0, result.output
        assert result.output.endswith(f"wrote {arguments[1]}\n")
        with Image.open(arguments[1]) as picture:
            assert picture.format == "PNG"
            assert picture.width > 600
            levels = np.asarray(picture.convert("L"))
        assert levels.min() < 30
        assert levels.max() == 255
    cli("draw", "distortions", "other.png", "--data", "sample", "--seed", 4)
    assert Path("other.png").read_bytes() != Path("distortions.png").read_bytes()
    refused(
        cli("draw", "codes", "nowhere/codes.png"),
        "cannot write nowhere/codes.png: No such file or directory",
    )
    refused(cli("draw", "codes", "."), "File '.' is a directory")
    refused(cli("draw", "code", "codes.png"), "'code' is not one of 'codes', 'distortions'")
    assert {path.name for path in Path().iterdir()} == {"codes.png", "distortions.png", "other.png"}


def test_online_training_sets_one_thread_before_tensorflow_starts(tmp_path):
    """In a process of its own, with nothing in the environment: the run works in one thread."""
    script = (
        "import os, sys; from lenet_tf import cli, device; sys.argv = ['lenet-tf', 'train', 'lenet1', '--data', 'none']\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "print(*(os.environ.get(name) for name in ('TF_NUM_INTEROP_THREADS', 'TF_NUM_INTRAOP_THREADS', 'TF_ENABLE_ONEDNN_OPTS')))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    assert python("-c", script, cwd=tmp_path, env=environment).stdout.split() == ["1", "1", "0"]
    kept = python(
        "-c", script, cwd=tmp_path, env=environment | {"TF_NUM_INTEROP_THREADS": "2"}
    ).stdout.split()
    assert kept == ["2", "1", "0"]
    assert (
        python(
            "-c", script.replace("'lenet1'", "'lenet5'"), cwd=tmp_path, env=environment
        ).stdout.split()
        == ["None"] * 3
    )


def test_train_evaluate_and_run_again(cli):
    """The whole way: train, test again with the same result, repeat from config.json to the same weights."""
    result = cli(
        "train",
        "tiny",
        "--data",
        "sample",
        "--epochs",
        2,
        "--seed",
        5,
        "--validation",
        0.25,
        "--device",
        "cpu",
    )
    assert result.exit_code == 0, result.output
    run = only_run()
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"test accuracy {metrics['test_accuracy']:.2%}" in result.output
    assert f"{metrics['seconds_per_epoch']:.1f} s per epoch" in result.output
    assert "on 1,000 digits of the embedded sample, NOT of MNIST" in result.output
    for following in (
        "tensorboard --logdir logs",
        f"lenet-tf evaluate {run}",
        f"lenet-tf train --from-run {run}",
    ):
        (line,) = [line for line in result.output.splitlines() if following in line]
        command = shlex.split(line)
        program = next(word for word in command if word.endswith(following.split()[0]))
        assert shutil.which(program), "a command that a person can type here"

    tested = json.loads(cli("evaluate", run, "--json").output.splitlines()[-1])
    assert (tested["data"], tested["images"]) == ("sample", 1_000)
    assert tested["accuracy"] == pytest.approx(metrics["test_accuracy"])
    assert tested["loss"] == pytest.approx(metrics["test_loss"])
    assert (
        f"accuracy {metrics['test_accuracy']:.2%}"
        in cli("evaluate", run / "final.keras", "--data", "sample").output
    )

    again = cli("train", "--from-run", run, "--logs", "again", "--device", "cpu", "--quiet")
    assert again.exit_code == 0, again.output
    (second,) = Path("again/fit").iterdir()
    first_config, second_config = (run_record.read_config(folder) for folder in (run, second))
    for part in ("spec", "recipe", "seed", "settings", "data"):
        assert first_config[part] == second_config[part]
    weights = zip(
        *(lenet_tf.load_model(folder).get_weights() for folder in (run, second)), strict=True
    )
    assert all(np.array_equal(a, b) for a, b in weights)

    assert "Next:" not in again.output
    assert again.output.startswith("test accuracy")
    assert json.loads(cli("summary", run, "--json").output)["parameters"] == 782

    changed = cli("train", "--from-run", run, "--logs", "changed", "--epochs", 1, "--seed", 6, "-q")
    assert changed.exit_code == 0, changed.output
    (third,) = Path("changed/fit").iterdir()
    config = run_record.read_config(third)
    assert (config["recipe"]["epochs"], config["seed"], config["recipe"]["validation"]) == (
        1,
        6,
        0.25,
    )


@pytest.mark.slow
def test_a_fresh_machine_without_mnist_trains_on_the_sample(tmp_path):
    """A real process: the notice is seen, the exit code is 0, ≥ 94.5% on the held-out digits, and the run folder says what it was."""
    environment = {
        name: value for name, value in os.environ.items() if name != "LENET_TF_ORIGINALS"
    }
    environment |= NO_NETWORK | {"TFDS_DATA_DIR": str(tmp_path / "tfds"), "LC_ALL": "C.UTF-8"}
    done = python("-m", "lenet_tf", "train", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "NOTICE" in done.stderr
    assert "THIS IS NOT MNIST" in done.stderr
    assert "NOT of MNIST" in done.stdout
    run = only_run(tmp_path)
    assert run_record.read_config(run)["data"]["source"] == "sample"
    assert json.loads((run / "metrics.json").read_text())["test_accuracy"] >= 0.945


def test_the_notice_comes_before_anything_heavy(offline):
    script = (
        "import sys; from lenet_tf.data import sources;"
        "sources.load_data(notify=lambda text: print('tensorflow' in sys.modules, 'keras' in sys.modules))"
    )
    assert python("-c", script, env=os.environ).stdout.split() == ["False", "False"]


def test_named_data_that_cannot_be_had_is_an_error(cli, offline, tmp_path):
    refused(
        cli("train", "--data", "mnist"),
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
        (["train", "--validation", "7"], ["'7' is neither a share between 0 and 1 nor 'test'"]),
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
                "'own.npy' is not a TFDS data set. Your own data can be a .npz file, or a folder (./mine)"
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
        (["evaluate", "nowhere"], ["there is no run or model nowhere"]),
        (["evaluate", ".", "--data", "sample"], [". is not a run folder: it has no config.json"]),
        (["trian"], ["No such command 'trian'"]),
        (["--foo"], ["No such option '--foo'"]),
        (
            ["summary", "--jsn"],
            ["No such option '--jsn'. Did you mean '--json'? See lenet-tf summary --help."],
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
    refused(cli(*arguments), *messages)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x_train": np.zeros((40, 784), np.uint8)},
            "x_train must be (N, height, width) or (N, height, width, channels), not of shape (40, 784)",
        ),
        (
            {"x_train": np.zeros((40, 28, 28))},
            "x_train must be raw whole numbers from 0 to 255, not float64",
        ),
        ({"x_test": np.full((20, 28, 28), 300)}, "x_test must lie in 0…255, not in 300…300"),
        ({"y_test": np.full(20, 11)}, "y_test must lie in 0…9 for 10 classes, not in 11…11"),
        (
            {"y_train": np.full(40, -1)},
            "y_train must lie in 0…9999 for 10000 classes, not in -1…-1",
        ),
        ({"num_classes": np.array(5)}, "y_train must lie in 0…4 for 5 classes, not in 0…9"),
        ({"num_classes": np.array([10.0])}, "num_classes must be one whole number"),
        ({"y_train": np.zeros(39, int)}, "y_train: 39 labels for 40 images"),
    ],
)
def test_wrong_arrays(cli, arrays, change, message):
    np.savez("mine.npz", **arrays | change)
    refused(cli("train", "tiny", "--data", "mine.npz"), message)


def test_a_persons_own_arrays(cli, arrays):
    np.savez("mine.npz", **arrays)
    result = cli("train", "tiny", "--data", "mine.npz", "--validation", "test", "-q")
    assert result.exit_code == 0, result.output
    assert f"on 20 images of {Path('mine.npz').resolve()}\n" in result.output


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
    refused(cli("train", "--originals", folder.parent), "train-images-idx3-ubyte.gz", message)


def test_a_log_folder_that_cannot_be_written(cli):
    Path("taken").write_text("a file")
    refused(
        cli("train", "tiny", "--data", "sample", "--logs", "taken"),
        "cannot write runs to taken/fit: taken is not a folder",
        "--logs",
    )
    assert Path("taken").read_text() == "a file"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_log_folder(cli):
    Path("shut").mkdir(mode=0o500)
    refused(cli("train", "tiny", "--data", "sample", "--logs", "shut"), "shut is not writable")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux")
def test_a_log_folder_that_refuses_new_folders(cli):
    refused(
        cli("train", "tiny", "--data", "sample", "--logs", "/proc/self/fdinfo"), "/proc/self/fdinfo"
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: "{", "cannot be read"),
        (lambda c: json.dumps(c | {"format": 99}), "has format 99 of lenet_tf 0."),
        (
            lambda c: json.dumps({k: v for k, v in c.items() if k != "recipe"}),
            "has no usable 'recipe'",
        ),
        (
            lambda c: json.dumps(c | {"recipe": c["recipe"] | {"epochs": 0}}),
            "epochs must be a whole number",
        ),
        (lambda c: json.dumps(c | {"settings": []}), "has no usable 'settings'"),
        (lambda c: json.dumps(c | {"settings": {"foo": 1}}), "has no usable 'settings': foo is 1"),
        (
            lambda c: json.dumps(c | {"settings": {}}),
            "has no usable 'settings': deterministic is missing",
        ),
        (
            lambda c: json.dumps(c | {"spec": c["spec"] | {"name": "a/b"}}),
            "a network's name must be",
        ),
        (lambda c: json.dumps(c | {"data": c["data"] | {"name": 5}}), "does not name its data set"),
        (
            lambda c: json.dumps(c | {"data": c["data"] | {"sha256": "0" * 64}}),
            "was trained on other sample data (SHA-256 000000000000…",
        ),
    ],
)
def test_a_config_that_cannot_be_run_again(cli, trained, damage, message):
    run = shutil.copytree(trained, Path("first", trained.name))
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(damage(config))
    refused(cli("train", "--from-run", run), message)


def test_doctor_names_what_is_missing_and_its_remedy(cli, offline):
    result = cli("doctor")
    assert result.exit_code == 0
    for package in ("tensorflow", "mlxtend", "importlib_resources", "lenet_tf"):
        assert re.search(rf"✓ {package} +\d", result.output), package
    assert re.search(r"✓ device +.*CPU", result.output)
    assert re.search(r"! data mnist +mnist is unavailable", result.output)
    assert "→ Put t10k-images-idx3-ubyte.gz" in result.output


def test_doctor_sees_originals(cli, offline, originals):
    assert (
        "✓ data mnist           from the originals"
        in cli("doctor", "--originals", originals).output
    )


def test_doctor_names_a_missing_package(cli, offline, monkeypatch):
    from lenet_tf.cli import doctor

    def version(name):
        if name == "mlxtend":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor, "version", version)
    result = cli("doctor")
    assert result.exit_code == 1
    assert re.search(r"! mlxtend +not installed\n +→ make install", result.output)


@pytest.mark.parametrize("package", ["tensorflow", "tensorflow_datasets"])
def test_doctor_survives_a_package_that_does_not_load(offline, package):
    script = f"import sys; sys.modules[{package!r}] = None; from lenet_tf.cli import main; main(['doctor'])"
    done = python("-c", script, env=os.environ | {"PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 1, done.stderr
    assert "a package does not load" in done.stdout
    assert "→ make clean install" in done.stdout
    assert "data fashion_mnist" in done.stdout, "the checks after it are still made"


def test_evaluate_notices_other_data(cli, arrays):
    np.savez("mine.npz", **arrays)
    assert cli("train", "tiny", "--data", "mine.npz", "--validation", "test", "-q").exit_code == 0
    assert "Warning" not in cli("evaluate", only_run()).stderr
    np.savez("mine.npz", **arrays | {"y_test": arrays["y_test"][::-1].copy()})
    result = cli("evaluate", only_run())
    assert result.exit_code == 0
    assert "is not what it was when this run was trained on it" in result.stderr


def test_evaluate_never_falls_back_on_the_sample(cli, offline, trained, tmp_path):
    """Its digits are MNIST training images: a model trained on MNIST would be tested on what it has seen."""
    shutil.copy(trained / "final.keras", tmp_path / "bare.keras")
    refused(cli("evaluate", tmp_path / "bare.keras"), "mnist is unavailable")


@pytest.mark.slow
def test_full_mnist_one_epoch(cli, monkeypatch, tfds_folder, originals):
    """The tutorial's recipe on the published files: one epoch reaches 95%."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    result = cli("train", "--originals", originals, "--epochs", 1)
    assert result.exit_code == 0, result.output
    metrics = json.loads((only_run() / "metrics.json").read_text())
    config = run_record.read_config(only_run())
    assert config["data"]["images"] == {"train": 60_000, "test": 10_000}
    assert config["data"]["source"] == "originals"
    assert 0.95 <= metrics["test_accuracy"] < 1


@pytest.mark.slow
def test_full_mnist_ten_epochs(cli, monkeypatch, tfds_folder, originals):
    """`make train` with originals: the whole recipe reaches 98%."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    result = cli("train", "--originals", originals)
    assert result.exit_code == 0, result.output
    metrics = json.loads((only_run() / "metrics.json").read_text())
    assert metrics["epochs"] == 10
    assert metrics["test_accuracy"] >= 0.98
