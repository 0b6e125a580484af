"""`lenet-tf page` and `lenet_tf.write_page`: which networks and images a page has, and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import check_refused
from page_data import read_page_data, unpack_arrays
from processes import python
from quick import fit

import lenet_tf
from lenet_tf.data.sources.sample import load_sample
from lenet_tf.models.lenet import LeNet

DEFAULTS = ["lenet5-1998", "lenet5", "lenet5-modern-accurate"]


def list_names(page: Path) -> list[str]:
    return [network["name"] for network in read_page_data(page)["networks"]]


def test_a_page_of_presets_needs_no_tensorflow(tmp_path):
    script = (
        "import sys\nfrom lenet_tf.cli import main\n"
        "try: main(['page', '--data', 'sample'])\n"
        "except SystemExit as end: assert not end.code\n"
        "loaded = {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    done = python("-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "page.html"
    assert done.stdout == f"wrote page.html ({page.stat().st_size:,} bytes)\n"
    assert list_names(page) == DEFAULTS
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_the_weights_of_a_page_are_the_networks(preset_page):
    network = read_page_data(preset_page)["networks"][1]
    arrays = unpack_arrays(network["weights"])
    expected = LeNet.from_preset("lenet5-mnist").get_weights()
    assert len(arrays) == len(expected) == 10
    for array, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, other)


def test_what_a_page_says_of_a_preset(preset_page):
    network = read_page_data(preset_page)["networks"][1]
    preset = {each.name: each for each in lenet_tf.list_presets()}["lenet5-mnist"]
    errors = np.array(preset.row_test_errors)
    assert network["row"] == {
        "name": "lenet5",
        "mean": pytest.approx(errors.mean(), abs=1e-6),
        "sd": pytest.approx(errors.std(ddof=1), abs=1e-6),
        "seeds": 10,
    }
    low, high = preset.test_error_interval
    assert network["test"] == {
        "errors": preset.test_errors,
        "images": 10_000,
        "error": preset.test_error,
        "low": pytest.approx(low, abs=1e-6),
        "high": pytest.approx(high, abs=1e-6),
    }
    assert network["recipe"].startswith("adam at 0.001, categorical_crossentropy, 10 epochs")
    assert (network["dataTitle"], network["dataLicense"]) == ("MNIST", "CC BY-SA 3.0")
    assert network["versions"]["keras"] == preset.versions["keras"]
    assert (network["isPreset"], network["rejects"], network["pictureInput"]) == (
        True,
        True,
        "digit",
    )


def test_the_test_images_of_a_page(preset_page):
    """Ten of each class; the misread ones are those that Keras misreads."""
    data, sample = read_page_data(preset_page), load_sample()
    examples = data["examples"]
    (images,) = unpack_arrays(examples["images"])
    assert images.shape == (100, 28, 28, 1) and examples["data"] == "sample"
    np.testing.assert_array_equal(images, sample.x_test[examples["numbers"]])
    assert examples["labels"] == sample.y_test[examples["numbers"]].tolist()
    assert [examples["labels"].count(label) for label in range(10)] == [10] * 10
    assert len(set(examples["numbers"])) == 100
    assert 1 <= sum(map(bool, examples["misreadBy"])) <= 10
    for index, network in enumerate(data["networks"]):
        outputs = lenet_tf.predict_outputs(LeNet.from_preset(network["preset"]), images)
        wrong = np.flatnonzero(outputs.argmax(axis=1) != examples["labels"])
        assert wrong.tolist() == [
            image for image, networks in enumerate(examples["misreadBy"]) if index in networks
        ]


def test_pages_are_equal_twice(preset_page, tmp_path):
    again = lenet_tf.write_page(path=tmp_path / "again.html", data="sample")
    assert again.read_bytes() == preset_page.read_bytes()


def test_what_a_page_says_of_a_run(tiny_run, tmp_path):
    page = lenet_tf.write_page(tiny_run, tmp_path / "page.html")
    data = read_page_data(page)
    (network,) = data["networks"]
    assert network["name"] == tiny_run.path.name
    assert network["test"]["images"] == 100
    assert network["test"]["errors"] == round(100 * (1 - tiny_run.metrics["test_accuracy"]))
    assert (network["row"], network["isPreset"]) == (None, False)
    assert network["recipe"].startswith("adam at ") and "2 epochs" in network["recipe"]
    assert network["versions"]["lenet_tf"] == lenet_tf.__version__
    assert data["examples"]["data"] == "sample"


def test_a_page_of_many_kinds_of_networks(cli, tiny_run):
    shutil.copyfile(tiny_run.path / "final.keras", "mine.keras")
    cli("export", "lenet5-mnist", "--format", "hub", "--output", "hub", "--data", "sample")
    done = cli("page", tiny_run.path, "mine.keras", "hub", "lenet5-mnist", "--data", "sample")
    assert done.exit_code == 0, done.output
    data = read_page_data(Path("page.html"))
    assert [each["name"] for each in data["networks"]] == [
        tiny_run.path.name,
        "mine",
        "hub",
        "lenet5",
    ]
    assert [each["isPreset"] for each in data["networks"]] == [False, False, False, True]
    assert [each["rejects"] for each in data["networks"]] == [True, False, False, True]


def test_equal_names_are_told_apart_and_equal_networks_come_once(cli, tiny_run):
    for folder in ("a", "b"):
        Path(folder).mkdir()
        shutil.copyfile(tiny_run.path / "final.keras", f"{folder}/mine.keras")
    done = cli("page", "a/mine.keras", "b/mine.keras", "./a/mine.keras", "--data", "sample")
    assert done.exit_code == 0, done.output
    assert list_names(Path("page.html")) == ["mine", "mine (2)"]


def test_a_file_of_a_run_is_named_after_both(cli, tiny_run):
    done = cli("page", tiny_run.path / "best.keras", tiny_run.path, "--data", "sample")
    assert done.exit_code == 0, done.output
    name = tiny_run.path.name
    assert list_names(Path("page.html")) == [f"{name}, best", name]


def test_a_page_without_the_data_of_its_run_says_so(cli, digits):
    parts = ("x_train", "y_train", "x_test", "y_test")
    np.savez("mine.npz", **{part: getattr(digits, part) for part in parts})
    assert cli.train("tiny", "--data", "mine.npz", "--epochs", 1).exit_code == 0
    (folder,) = Path("logs/fit").iterdir()
    done = cli("page", folder)
    assert done.exit_code == 0, done.output
    data = read_page_data(Path("page.html"))
    assert data["examples"]["data"] == "mine.npz"
    assert str(Path.cwd()) not in Path("page.html").read_text("utf-8"), "pages are published"
    assert data["detector"] is None and data["thresholds"] == []
    Path("mine.npz").unlink()
    done = cli("page", folder)
    assert done.exit_code == 0, done.output
    assert "The page has no test images" in " ".join(done.stderr.split())
    examples = read_page_data(Path("page.html"))["examples"]
    (images,) = unpack_arrays(examples["images"])
    assert images.shape == (0, 28, 28, 1) and examples["labels"] == []
    assert "--data" in done.stderr
    failed = cli("page", folder, "--data", "mine.npz")
    assert failed.exit_code == 1 and failed.stderr.startswith("Error: ")


def test_colors_and_class_names(digits, tmp_path):
    """Class names are a stranger's: they cannot leave the element that holds them."""
    colors = np.repeat(np.pad(digits.x_train[:60], ((0, 0), (2, 2), (2, 2), (0, 0))), 3, axis=3)
    names = ("</script><script>alert(1)</script>", "a'\"&", "<!--")
    labels = np.arange(60) % 3
    data = lenet_tf.RawData(colors, labels, colors, labels, name="colors", class_names=names)
    run = fit("lenet5-color", data, epochs=1, device="cpu", logs=tmp_path, quiet=True)
    with pytest.warns(match="no test images: .* was trained on arrays in memory"):
        page = lenet_tf.write_page(run, tmp_path / "page.html")
    assert read_page_data(page)["examples"]["labels"] == []
    page = lenet_tf.write_page(run, tmp_path / "page.html", data=data)
    text = page.read_text("utf-8")
    assert "alert(1)</script>" not in text and "<!--" not in text
    assert text.count("<script") == text.count("</script>") == 3
    content = read_page_data(page)
    assert content["networks"][0]["classNames"] == list(names)
    assert content["networks"][0]["imageShape"] == [32, 32, 3]
    assert content["networks"][0]["pictureInput"] == "picture"
    (images,) = unpack_arrays(content["examples"]["images"])
    np.testing.assert_array_equal(images, colors[content["examples"]["numbers"]])


def test_mixed_precision_is_named(digits, tmp_path):
    run = fit("tiny", digits, precision="mixed_bfloat16", epochs=1, device="cpu", logs=tmp_path,
              quiet=True)  # fmt: skip
    with pytest.warns(match=r"trained in mixed_bfloat16. The page computes in float32"):
        page = lenet_tf.write_page(run, tmp_path / "page.html", data="sample")
    assert read_page_data(page)["networks"][0]["precision"] == "mixed_bfloat16"


def test_networks_that_do_not_fit_together(cli):
    check_refused(
        cli("page", "lenet5-mnist", "lenet5-modern-fashion-mnist"),
        "the networks of a page must know the same classes: lenet5 has '0' where"
        " lenet5-modern-fashion has 'T-shirt/top'",
    )
    assert list(Path().iterdir()) == []


def test_refused_networks(cli, interrupted_run, monkeypatch):
    nan = LeNet("tiny")
    nan.set_weights([np.full_like(array, np.nan) for array in nan.get_weights()])
    nan.save("nan.keras")
    Path("broken.keras").write_bytes(b"PK\3\4")
    for model, message in (
        ("nan.keras", "are NaN or infinite"),
        (interrupted_run, "is unfinished: train on with lenet-tf train --resume"),
        ("broken.keras", "cannot be read as a LeNet"),
        ("nothing.keras", "there is no such run or model"),
        ("lenet5-mnst", "did you mean lenet5-mnist"),
    ):
        check_refused(cli("page", model), message)
    # A file is named only where there is one.
    last = interrupted_run / "final.keras"
    last.unlink(missing_ok=True)
    assert "name its last epoch" not in cli("page", interrupted_run).output
    shutil.copyfile(interrupted_run / "best.keras", last)
    check_refused(cli("page", interrupted_run), f"or name its last epoch, {last}")
    monkeypatch.setattr("lenet_tf.inference.page.page_networks.MAX_WEIGHT_BYTES", 200_000)
    check_refused(
        cli("page", "lenet1-mnist", "lenet5-1998-mnist"),
        "lenet5-1998 is too large for a page: its weights take 0.2 MB",
    )
    check_refused(cli("page", *[f"{name}.keras" for name in range(9)]), "at most 8 networks, not 9")
    assert not Path("page.html").exists()


def test_a_foreign_file_stays(cli):
    Path("page.html").write_text("mine")
    check_refused(
        cli("page", "--data", "sample"),
        "page.html is not a page that lenet-tf wrote, so it is not overwritten: choose another file"
        " with --output",
    )
    assert Path("page.html").read_text() == "mine"
    assert cli("page", "tiny", "-o", "nowhere/page.html").exit_code == 1
    check_refused(
        cli("page", "-o", "nowhere/page.html"),
        "cannot write page.html: the folder nowhere does not exist",
    )
    Path("page.html").unlink()
    for _ in range(2):  # its own page is replaced
        assert cli("page", "lenet1-mnist", "--data", "sample").exit_code == 0
