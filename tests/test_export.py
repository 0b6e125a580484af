"""Exports run in their real runtimes, take raw images, and answer as the network does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quick
from commands import check_refused
from test_numpy_forward import ODD

import lenet_tf
from lenet_tf.inference.export import litert_format
from lenet_tf.inference.export.network import build_export_network
from lenet_tf.inference.export.registry import get_format
from lenet_tf.inference.export.subject import find_subject, read_export_data
from lenet_tf.models.trained_network import to_trained_network
from lenet_tf.pretrained.folding import fold
from lenet_tf.specs import VARIANTS, Spec

PAGE = Path(__file__).parent.parent / "docs" / "export.md"


@pytest.fixture(scope="module")
def sample() -> lenet_tf.RawData:
    return lenet_tf.load_data("sample")


def build_model(variant: str | Spec) -> lenet_tf.LeNet:
    """A network whose biases are not 0."""
    model, random = lenet_tf.LeNet(variant, seed=0), np.random.default_rng(0)
    model.set_weights(
        [
            weight + random.uniform(0, 0.1, weight.shape) * (weight.ndim == 1)
            for weight in model.get_weights()
        ]
    )
    return model


def load(
    path: Path, model: lenet_tf.LeNet, data: lenet_tf.RawData, format_name: str
) -> Callable[[np.ndarray], np.ndarray]:
    """A function that computes probabilities in the format's runtime."""
    subject = find_subject(model)
    network = build_export_network(subject.trained, "test", read_export_data(subject, data))
    return get_format(format_name).load(path, network).compute


def load_color(sample: lenet_tf.RawData) -> lenet_tf.RawData:
    """Color images of 32×32."""
    parts = {}
    for name in ("x_train", "x_test"):
        images = np.pad(getattr(sample, name), ((0, 0), (2, 2), (2, 2), (0, 0)))
        parts[name] = np.concatenate([images, images // 2, 255 - images], axis=3)
    return replace(sample, **parts)


def read_example(language: str) -> str:
    """The first example of a language in docs/export.md."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert found is not None
    return found[1]


def compute_expected(model: lenet_tf.LeNet, images: np.ndarray) -> np.ndarray:
    """Keras' own probabilities of raw images."""
    from lenet_tf.evaluation.evaluate import to_probabilities

    return to_probabilities(model, lenet_tf.predict_outputs(model, images))


def test_onnx_takes_raw_images_in_batches_of_any_size(digits, tmp_path):
    import onnxruntime

    result = lenet_tf.export("lenet5-modern-mnist", tmp_path / "digits.onnx", data=digits)
    assert result.path == tmp_path / "digits.onnx"
    session = onnxruntime.InferenceSession(result.path)
    (model_input,), (output,) = session.get_inputs(), session.get_outputs()
    assert (model_input.name, model_input.type) == ("images", "tensor(uint8)")
    assert (model_input.shape, output.shape) == (["batch", 28, 28], ["batch", 10])
    assert (output.name, output.type) == ("probabilities", "tensor(float)")
    model = lenet_tf.LeNet.from_preset("lenet5-modern-mnist")
    for count in (1, 7):
        images = digits.x_test[:count, :, :, 0]
        (probabilities,) = session.run(None, {"images": images})
        np.testing.assert_allclose(probabilities, compute_expected(model, images), atol=1e-5)


def test_labels_and_the_result_of_the_check_are_written_beside_it(digits, tmp_path):
    path = tmp_path / "digits.tflite"
    result = lenet_tf.export("lenet5-modern-mnist", path, format="litert", data=digits)
    assert (tmp_path / "labels.txt").read_text().split() == [str(digit) for digit in range(10)]
    record = json.loads((tmp_path / "digits.tflite.check.json").read_text())
    assert record["check"]["images"] == 100
    assert record["check"]["changed_answers"] == result.check.changed_answers == 0
    assert record["files"]["digits.tflite"]["bytes"] == result.size == path.stat().st_size
    assert {file.name for file in result.files} == {file.name for file in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("variant", "format_name"), [("lenet1", "onnx"), ("lenet5-1998-full", "litert")]
)
def test_special_layers_and_preparation_are_part_of_the_file(
    variant, format_name, digits, tmp_path
):
    """Keras is the reference here, which the export doesn't use."""
    model = build_model(variant)
    result = lenet_tf.export(model, tmp_path / "file", format=format_name, data=digits)
    images = digits.x_test[:20, :, :, 0]
    actual = load(result.path, model, digits, format_name)
    for count in (1, 7, 20):
        np.testing.assert_allclose(
            actual(images[:count]), compute_expected(model, images[:count]), atol=2e-5
        )


def test_prepared_images_can_be_its_input(digits, tmp_path):
    model = build_model("lenet5-1998-full")
    options = {"format": "saved_model", "prepared": True, "data": digits}
    result = lenet_tf.export(model, tmp_path / "model", **options)
    images = digits.x_test[:7]
    prepared = lenet_tf.prepare_images(images, model.spec.preparation)
    import tensorflow as tf

    loaded = tf.saved_model.load(result.path)
    outputs = loaded.signatures["serving_default"](images=tf.constant(prepared))
    assert list(outputs) == ["probabilities"]
    np.testing.assert_allclose(outputs["probabilities"], compute_expected(model, images), atol=2e-5)
    assert {"labels.txt", "export.check.json"} < {file.name for file in result.path.iterdir()}


def test_pooling_padding_and_strides_of_every_kind(tmp_path):
    """The network of `test_numpy_forward`, on color images of an odd size."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (40, 13, 11, 2), dtype=np.uint8)
    labels = np.arange(40) % 3
    data = lenet_tf.RawData(images, labels, images, labels, name="odd", num_classes=3)
    model = build_model(ODD)
    for format_name in ("onnx", "litert"):
        path = tmp_path / format_name
        result = lenet_tf.export(model, path, format=format_name, data=data)
        assert result.check.largest_difference < 1e-5


def test_mixed_precision_is_exported_in_float32(digits, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=0, precision="mixed_bfloat16")
    result = lenet_tf.export(model, tmp_path / "x.tflite", format="litert", data=digits)
    assert result.check.largest_difference < 1e-5
    record = json.loads((tmp_path / "x.tflite.check.json").read_text())
    assert record["trained_precision"] == "mixed_bfloat16"


def test_an_export_that_answers_differently_is_refused(digits, tmp_path, monkeypatch):
    other = to_trained_network(lenet_tf.LeNet("tiny", seed=1))
    litert = get_format("litert")

    def write_other(network: Any, path: Path) -> None:
        litert.write(replace(network, layers=fold(other)), path)

    monkeypatch.setitem(litert_format.FORMATS, "litert", replace(litert, write=write_other))
    options = {"format": "litert", "data": digits}
    with pytest.raises(lenet_tf.LenetError, match="answers differently.*largest difference"):
        lenet_tf.export(lenet_tf.LeNet("tiny", seed=0), tmp_path / "x.tflite", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_nan_is_refused(digits, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=0)
    model.layers[-1].set_weights([array * np.nan for array in model.layers[-1].get_weights()])
    with pytest.raises(lenet_tf.LenetError, match="NaN"):
        lenet_tf.export(model, tmp_path / "x.onnx", data=digits)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_export_is_replaced_only_on_request(cli, digits):
    first = lenet_tf.export("lenet5-modern-mnist", format="saved_model", data=digits)
    assert first.path == Path("lenet5-modern-mnist-saved_model")
    command = "export", "lenet5-modern-mnist", "--format", "saved_model", "--data", "sample"
    check_refused(cli(*command), "exists", "--force")
    second = cli(*command, "--force", "--json")
    assert second.exit_code == 0, second.output
    assert json.loads(second.stdout)["check"]["images"] == 1_000
    Path("own").mkdir()
    Path("own", "letter.txt").write_text("dear")
    check_refused(cli(*command, "--force", "--output", "own"), "no export wrote")
    assert Path("own", "letter.txt").read_text() == "dear"
    assert {path.name for path in Path().iterdir()} == {first.path.name, "own"}


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (("--format", "tflite"), ["unknown format 'tflite': did you mean litert?"]),
        (("--format", "onyx"), ["unknown format 'onyx': did you mean onnx?"]),
        (("--format", "zzz"), ["choose from onnx, litert"]),
        (("--output", "x.tflite"), ["a file of ONNX ends with .onnx, not .tflite"]),
        (("--data", "fashion_mnit"), ["fashion_mnit"]),
        (("--output", "none/x.onnx", "--data", "sample"), ["none"]),
    ],
)
def test_mistakes_are_refused_in_a_line(arguments, messages, cli, offline):
    check_refused(cli("export", "lenet5-modern-mnist", *arguments), *messages)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("format_name", "package", "extra"),
    [("onnx", "tf2onnx", "export"), ("openvino", "openvino", "openvino")],
)
def test_a_missing_package_is_named_with_its_command(format_name, package, extra, cli, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    result = cli("export", "lenet5-modern-mnist", "--format", format_name)
    check_refused(result, f"the package {package}", f"pip install 'lenet_tf[{extra}]'")


def test_a_network_with_code_of_its_own_is_refused(digits, tmp_path):
    class Own(lenet_tf.LeNet):
        def call(self, *arguments: Any, **options: Any) -> Any:
            return 2 * super().call(*arguments, **options)

    with pytest.raises(lenet_tf.LenetError, match="Own has a call of its own"):
        lenet_tf.export(Own("tiny"), tmp_path / "x.onnx", data=digits)
    with pytest.raises(lenet_tf.LenetError, match="not int"):
        lenet_tf.export(3, tmp_path / "x.onnx", data=digits)


def test_data_of_another_shape_are_refused(arrays, tmp_path):
    data = lenet_tf.RawData(**arrays, name="mine")
    small = replace(data, x_train=data.x_train[:, :20], x_test=data.x_test[:, :20])
    with pytest.raises(lenet_tf.LenetError, match="28×28.*20×28.*--data"):
        lenet_tf.export("lenet5-modern-mnist", tmp_path / "x.onnx", data=small)


@pytest.mark.slow
@pytest.mark.parametrize("format_name", ["onnx", "litert", "int8", "saved_model", "openvino"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_all_variants_in_all_formats(variant, format_name, sample, tmp_path):
    if format_name == "openvino":
        pytest.importorskip("openvino")
    data = load_color(sample) if VARIANTS[variant].input_shape[2] == 3 else sample
    model = build_model(variant)
    chosen = get_format(format_name)
    if format_name != "int8":
        result = lenet_tf.export(model, tmp_path / "x", format=format_name, data=data)
        assert result.check.largest_difference < 5e-5
        return
    # Untrained networks have near ties only: here it counts that the file loads and runs.
    subject = find_subject(model)
    network = build_export_network(subject.trained, variant, read_export_data(subject, data))
    chosen.write(network, tmp_path / "x.tflite")
    images = network.data.test_images[:100]
    actual = chosen.load(tmp_path / "x.tflite", network).compute(images)
    assert np.abs(actual - compute_expected(model, images)).mean() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["lenet4", "lenet1"])
def test_int8_classifies_as_well(variant, sample, tmp_path):
    run = quick.fit(variant, sample, epochs=2, logs=tmp_path / "logs", quiet=True)
    result = lenet_tf.export(run, tmp_path / "x.tflite", format="int8", data=sample)
    assert result.check.changed_answers <= 10
    assert result.size < 70_000


@pytest.mark.slow
def test_node_runs_the_onnx_file(sample, tmp_path):
    """Another language's runtime answers as Python's."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm")
    # Its script would download libraries for GPUs.
    install = [
        "npm",
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "onnxruntime-node@1",
    ]
    process = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True)
    if process.returncode:
        pytest.skip(f"npm can't install onnxruntime-node: {process.stderr.strip()[-200:]}")
    result = lenet_tf.export("lenet5-modern-mnist", tmp_path / "digits.onnx", data=sample)
    images = sample.x_test[:10, :, :, 0]
    (tmp_path / "images.bin").write_bytes(images.tobytes())
    (tmp_path / "classify.cjs").write_text(read_example("javascript"))
    process = subprocess.run(
        ["node", "classify.cjs"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    probabilities = np.array(json.loads(process.stdout)).reshape(10, 10)
    expected = lenet_tf.predict_outputs(lenet_tf.LeNet.from_preset("lenet5-modern-mnist"), images)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert result.check.changed_answers == 0


@pytest.mark.slow
@pytest.mark.parametrize("package", ["onnxruntime", "ai_edge_litert", "tensorflow", "openvino"])
def test_examples_of_the_page(package, cli, sample):
    """The command in the first line of an example writes the file that the rest reads."""
    pytest.importorskip(package)
    blocks = re.findall(r"^```python\n# (.*?)\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    ((command, code),) = [block for block in blocks if f" {package}" in block[1]]
    words = command.partition(" (")[0].split()[1:]
    result = cli(*words, "--data", "sample")
    assert result.exit_code == 0, result.output
    images = sample.x_test[:10, :, :, 0]
    Path("images.bin").write_bytes(images.tobytes())
    names: dict[str, Any] = {}
    exec(code, names)
    model = lenet_tf.LeNet.from_preset("lenet5-modern-mnist")
    np.testing.assert_allclose(names["probabilities"], compute_expected(model, images), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("format_name", ["onnx", "int8", "openvino"])
def test_converters_print_nothing(format_name, tmp_path):
    """What they log on the way would bury the result."""
    if format_name == "openvino":
        pytest.importorskip("openvino")
    command = [sys.executable, "-m", "lenet_tf", "export", "lenet5-modern-mnist"]
    # Not that of the tests.
    environment = dict(os.environ)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    process = subprocess.run(
        [*command, "--format", format_name, "--data", "sample"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert len(process.stdout.splitlines()) == 2
