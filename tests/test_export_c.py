"""The C export compiles without a warning and answers as LiteRT and TFLite-Micro do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lenet_tf
from lenet_tf.errors import LenetError
from lenet_tf.inference.export.c_check import check_code, compare
from lenet_tf.inference.export.c_code import format_text
from lenet_tf.inference.export.c_compiler import find_compiler, run_code
from lenet_tf.inference.export.c_format import FORMATS
from lenet_tf.inference.export.c_graph import read_steps
from lenet_tf.inference.export.c_network import quantize_images
from lenet_tf.inference.export.c_vectors import choose_images
from lenet_tf.inference.export.flatbuffer import LiteRTGraph, Operator, Tensor, read_graph
from lenet_tf.inference.export.network import ExportData, ExportNetwork, build_export_network
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.reading import read_network
from lenet_tf.specs import Convolution, Dense, Flatten, Input, Pooling, Preparation, Spec
from lenet_tf.specs.rows_1998 import Subsampling, TableConvolution

COMPILERS = [name for name in ("cc", "gcc", "clang") if shutil.which(name)]
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion"]
# Every kernel, odd sizes, strides and padding, and all that a preparation does.
ODD = Spec(
    "odd",
    (
        Input(shape=(21, 21, 3)),
        Convolution("C1", filters=4, kernel=(3, 4), stride=(2, 1), padding="same"),
        Pooling("S2", pool="average", size=3, stride=2, padding="same"),
        Convolution("C3", filters=4, kernel=2, padding="valid", activation="silu"),
        Subsampling("S4", size=2, multiplier=2),
        TableConvolution("C5", kernel=1, table=((0, 1), (2, 5), (0, 7), (3, 4, 6))),
        Pooling("S6", pool="max", size=2, stride=1, padding="same"),
        Flatten(),
        Dense("F7", units=6, activation="relu"),
        Dense("OUTPUT", units=3, activation="softmax"),
    ),
    preparation=Preparation(digit_size=15, pad_to=21, channels=3, normalization="lecun1998"),
)
LABELS = ("T-shirt/top", 'a "b" \\ ??/', "숫자 7")

pytestmark = pytest.mark.skipif(not COMPILERS, reason="no C compiler (cc, gcc or clang)")


def build_odd_network(folder: Path) -> ExportNetwork:
    random = np.random.default_rng(0)
    model = lenet_tf.LeNet(ODD, seed=0)
    # With biases, as after a training.
    model.set_weights([w + random.normal(0, 0.2, w.shape) for w in model.get_weights()])
    model.save(folder / "odd.keras")
    trained = replace(read_network(folder / "odd.keras"), class_names=LABELS, image_shape=(18, 19))
    images = random.integers(0, 256, (150, 18, 19), dtype=np.uint8)
    images[:, 3] = 0
    data = ExportData("random", images[:50], images[50:], random.integers(0, 3, 100))
    return build_export_network(trained, "odd", data)


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportNetwork, Path]:
    """Return a network of every kernel and the folder of its export."""
    folder = tmp_path_factory.mktemp("c")
    network = build_odd_network(folder)
    FORMATS["c"].write(network, folder / "odd-c")
    return network, folder / "odd-c"


def read_model(folder: Path) -> bytes:
    """Read the LiteRT file in `lenet_model_data.c`."""
    text = (folder / "lenet_model_data.c").read_text(encoding="utf-8")
    return bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})\b", text))


def run_main(folder: Path) -> subprocess.CompletedProcess:
    command = [COMPILERS[0], *FLAGS, "-o", "main", "main.c", "lenet.c", "lenet_model_data.c"]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run(
        ["./main"], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )


def compute_in_litert(content: bytes, inputs: np.ndarray) -> np.ndarray:
    """Compute probabilities in 256ths with LiteRT's reference kernels."""
    from tensorflow import lite

    interpreter = lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for image in inputs:
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result["index"])[0].astype(int) + 128)
    return np.array(outputs)


def prepare(network: ExportNetwork, content: bytes, images: np.ndarray) -> np.ndarray:
    """Prepare images by the package's own function, and quantize them."""
    prepared = lenet_tf.prepare_images(images, network.trained.spec.preparation)
    return quantize_images(read_graph(content), prepared)


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_answers_are_those_of_litert(odd: tuple[ExportNetwork, Path]) -> None:
    network, folder = odd
    images = network.data.test_images
    content = read_model(folder)
    parts = compute_in_litert(content, prepare(network, content, images))
    files = {name: (folder / name).read_text(encoding="utf-8") for name in ("lenet.h", "lenet.c")}
    answers, actual = run_code(files, images)
    # Its fully connected layers round once, TFLite-Micro's twice.
    assert np.abs(actual - parts).max() <= 1
    assert np.count_nonzero(actual != parts) <= 3
    np.testing.assert_array_equal(answers, actual.argmax(axis=1))
    assert len(np.unique(answers)) > 1
    probabilities = FORMATS["c"].load(folder, network).compute(images[:7])
    np.testing.assert_array_equal(probabilities, actual[:7].astype(np.float32) / 256)
    assert np.abs(probabilities - network.compute_probabilities(images[:7])).max() < 0.1


def test_main_compiles_without_a_warning_and_finds_a_wrong_answer(
    odd: tuple[ExportNetwork, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(odd[1], tmp_path / "copy")
    result = run_main(folder)
    assert result.returncode == 0 and result.stdout.count(": ok\n") == 10
    expected = {re.search("expected (.*): ok", line)[1] for line in result.stdout.splitlines()}
    assert expected <= set(LABELS) and len(expected) > 1
    vectors = folder / "test_vectors.h"
    text = vectors.read_text(encoding="utf-8")
    start = text.index("test_images[")
    wrong = text[:start] + re.sub(r"(\d+), ", r"(\1 + 128) % 256, ", text[start:], count=300)
    vectors.write_text(wrong, encoding="utf-8")
    result = run_main(folder)
    assert result.returncode == 1 and result.stdout.count("DIFFERENT") == 1
    assert len((folder / "main.c").read_text(encoding="utf-8").splitlines()) <= 30


def test_the_headers_are_valid_in_cpp(odd: tuple[ExportNetwork, Path]) -> None:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler (g++ or clang++)")
    code = '#include "lenet.h"\n#include "lenet_model_data.h"\n#include "test_vectors.h"\n'
    command = [compiler, "-x", "c++", "-Wall", "-Wno-unused", "-Werror", "-fsyntax-only", "-"]
    subprocess.run(command, cwd=odd[1], input=code.encode(), check=True)


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_the_operators_are_those_of_the_model(odd: tuple[ExportNetwork, Path]) -> None:
    from tensorflow import lite

    interpreter = lite.Interpreter(
        model_content=read_model(odd[1]),
        experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_REF,
    )
    names = {each["op_name"] for each in interpreter._get_ops_details()} - {"DELEGATE"}
    header = (odd[1] / "lenet_model_data.h").read_text(encoding="utf-8")
    calls = re.findall(r"\(resolver\)\.Add(\w+)\(\)", header)
    assert sorted(calls) == sorted(name.title().replace("_", "") for name in names)
    assert {"Conv2D", "DepthwiseConv2D", "FullyConnected", "AveragePool2D", "MaxPool2D"} < {*calls}
    assert int(re.search(r"LENET_OPERATOR_COUNT (\d+)", header)[1]) == len(names)
    assert int(re.search(r"LENET_MODEL_SIZE (\d+)", header)[1]) == len(read_model(odd[1]))


def test_tflite_micro_answers_alike_and_needs_the_arena(odd: tuple[ExportNetwork, Path]) -> None:
    header = (odd[1] / "lenet_model_data.h").read_text(encoding="utf-8")
    if find_spec("tflite_micro") is None:
        assert "LENET_ARENA_SIZE" not in header and "wasn't measured" in header
        pytest.skip("tflite-micro isn't installed")
    size = int(re.search(r"#define LENET_ARENA_SIZE (\d+)", header)[1])
    facts = json.loads((odd[1] / "comparison.json").read_text(encoding="utf-8"))
    assert facts["arena_bytes"] == size and 1_000 < size < 30_000
    comparison = facts["probabilities_in_256ths_against"]["tflite_micro"]
    assert comparison["images"] == 100 and comparison["different_outputs"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [preset.name for preset in lenet_tf.list_presets()])
def test_presets_answer_as_litert_and_tflite_micro_do(name: str, tmp_path: Path) -> None:
    digits = lenet_tf.load_data("sample")
    data = ExportData("sample", digits.x_train[:500, ..., 0], digits.x_test[..., 0], digits.y_test)
    FORMATS["c"].write(build_export_network(read_any(name), name, data), tmp_path / "c")
    facts = json.loads((tmp_path / "c/comparison.json").read_text(encoding="utf-8"))
    others = facts["probabilities_in_256ths_against"]
    assert others["litert"]["different_images"] <= 100
    assert others["litert"]["changed_answers"] == 0
    if "tflite_micro" in others:
        assert others["tflite_micro"]["different_outputs"] == 0
    assert run_main(tmp_path / "c").returncode == 0


def test_the_command_needs_a_compiler(
    cli: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    result = cli("export", "lenet5-modern-mnist", "--format", "c")
    assert result.exit_code != 0 and "a C compiler (cc, gcc or clang) isn't on" in result.output
    assert not list(Path().iterdir())


def test_a_missing_compiler_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(LenetError, match=r"^a C compiler \(cc, gcc or clang\).*apt install gcc"):
        FORMATS["c"].check_packages()
    monkeypatch.setenv("CC", "nocc -m32")
    with pytest.raises(LenetError, match="^nocc, which CC names, isn't on the PATH"):
        find_compiler()


def test_code_that_does_not_compile_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    files = {"lenet.h": "", "lenet.c": "int x = y;\n"}
    with pytest.raises(LenetError, match="failed to compile the C code") as caught:
        run_code(files, np.zeros((1, 2, 2), np.uint8))
    assert "\n" not in str(caught.value)


def test_other_answers_than_litert_are_refused() -> None:
    parts = np.array([[200, 56], [100, 156]], np.uint8)
    comparison = compare(parts, np.add(parts, [[0, 0], [4, 0]]))
    assert comparison.describe() == "1 of 2 images differ, by at most 4/256; 0 answers changed"
    assert check_code("x", parts, parts, "")["litert"].describe() == "equal for all 2 images"
    assert not compare(parts, np.add(parts, 1)).is_rounding
    with pytest.raises(LenetError, match="the C code of x doesn't answer as litert does"):
        check_code("x", parts, parts[::-1], "no tflite-micro")


def test_operators_without_code_are_refused() -> None:
    value = Tensor((1, 4, 4, 1), np.ones(1, np.float32), 0, 0, None)
    graph = LiteRTGraph(b"", (Operator("MEAN", (0,), (1,), None),), (value,) * 3, 0, 1)
    with pytest.raises(LenetError, match="no code for an operator MEAN, as this network has"):
        read_steps(graph)
    branch = replace(graph, operators=(Operator("CONV_2D", (2,), (1,), None),))
    with pytest.raises(LenetError, match="that takes the outputs of two others"):
        read_steps(branch)


def test_vectors_show_each_class_first() -> None:
    labels = np.array([7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0, 6, 9, 0, 1, 5, 9, 7, 3, 4, 8])
    assert labels[choose_images(labels)].tolist() == list(range(10))
    assert choose_images(np.array([1, 1, 0, 0])).tolist() == [2, 0, 1, 3]
    assert len(choose_images(np.arange(30))) == 10


def test_text_is_escaped() -> None:
    assert format_text('é"1') == '"\\303\\251\\0421"'
