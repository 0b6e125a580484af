"""Settings of Keras, matplotlib, tqdm and Python in the user's environment."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import keras
import matplotlib
import numpy as np
import pytest
import quick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from processes import python

import lenet_tf
from lenet_tf.errors import LenetError
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.runtime import settings
from lenet_tf.runtime.keras_settings import check_keras
from lenet_tf.runtime.tensorflow_start import start_tensorflow

HOSTILE = {
    "KERAS_BACKEND": "jax",
    "KERAS_NNX_ENABLED": "true",
    "KERAS_MAX_EPOCHS": "1",
    "KERAS_MAX_STEPS_PER_EPOCH": "1",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_FUNCTION_JIT_COMPILE_DEFAULT": "1",
    "XLA_FLAGS": "--no_such_flag",
    "TF_NUM_INTRAOP_THREADS": "-3",
    "TF_NUM_INTEROP_THREADS": "100000",
    "MPLBACKEND": "nonsense",
    "TQDM_NCOLS": "nonsense",
    "PYTHONWARNINGS": "error",
}


@pytest.fixture
def environment(tmp_path, monkeypatch) -> dict[str, str]:
    """Return an environment in which every setting is wrong."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "keras"
    home.mkdir()
    values = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 1e-3}
    (home / "keras.json").write_text(json.dumps(values))
    Path("matplotlibrc").write_text("text.usetex: True\nsavefig.pad_inches: 300\n")
    paths = {"KERAS_HOME": str(home), "MATPLOTLIBRC": "matplotlibrc"}
    return {**os.environ, **HOSTILE, **paths}


def test_doctor_names_each_setting(environment):
    done = python("-m", "lenet_tf", "doctor", env=environment)
    assert done.returncode == 0, done.stderr
    for name in (*HOSTILE, "MATPLOTLIBRC", "./matplotlibrc"):
        assert f" setting {name} " in done.stdout, name
    assert "! setting KERAS_BACKEND " in done.stdout
    assert "✓ setting MATPLOTLIBRC " in done.stdout
    assert "keras.json" in done.stdout
    for shown in ("'channels_first'", "'float16'", "epsilon 0.001"):
        assert shown in done.stdout


def test_a_command_keeps_the_place_of_cuda_only(monkeypatch):
    monkeypatch.setattr(settings, "_overrides", {})
    monkeypatch.setattr(os, "environ", {"XLA_FLAGS": "--xla_gpu_cuda_data_dir=/cuda --x=1"})
    settings.pin_settings()
    assert os.environ["XLA_FLAGS"] == "--xla_gpu_cuda_data_dir=/cuda"
    (override,) = settings.list_overrides()
    assert override.consequence == "--xla_gpu_cuda_data_dir=/cuda is used"
    settings.pin_settings()
    assert settings.list_overrides() == [override]


@pytest.mark.slow
def test_a_command_follows_none_of_them(environment, tmp_path):
    arguments = ["train", "tiny", "--data", "sample", "--epochs", "2", "--histograms", "none"]
    done = python("-m", "lenet_tf", *arguments, env=environment)
    assert done.returncode == 0, done.stderr
    assert "has no report" not in done.stderr
    (folder,) = (tmp_path / "logs" / "fit").iterdir()
    assert json.loads((folder / "metrics.json").read_text())["epochs"] == 2
    assert (folder / "report.html").exists()
    done = python("-m", "lenet_tf", "draw", "codes", "codes.png", env=environment)
    assert done.returncode == 0, done.stderr
    assert Path("codes.png").stat().st_size < 100_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_matplotlibrc_that_never_ends_is_refused(tmp_path):
    os.mkfifo(tmp_path / "matplotlibrc")
    done = python("-m", "lenet_tf", "draw", "codes", "codes.png", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: matplotlibrc in this folder is not a file")
    (tmp_path / "matplotlibrc").unlink()
    (tmp_path / "matplotlibrc").write_bytes(b"\xff")
    done = python("-m", "lenet_tf", "variants", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: matplotlibrc in this folder cannot be read")


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("KERAS_BACKEND=nonsense", "Keras' backend is 'nonsense' in KERAS_BACKEND"),
        ("TF_USE_LEGACY_KERAS=1", "TF_USE_LEGACY_KERAS asks for Keras 2"),
        ("KERAS_NNX_ENABLED=true", "KERAS_NNX_ENABLED needs flax"),
        ('KERAS_HOME={"floatx": "float99"}', "Keras' floatx is 'float99' in "),
        ('KERAS_HOME={"floatx": "float64"}', "lenet_tf needs float32: change it in "),
        ('KERAS_HOME={"image_data_format": "channels_first"}', "needs channels_last"),
        ('KERAS_HOME={"epsilon": 1}', "Keras' epsilon is 1 in "),
        ('KERAS_HOME={"backend": []}', "Keras' backend is [] in "),
        ("KERAS_HOME=[]", "holds no JSON object"),
        ("KERAS_HOME={", ""),
        ("KERAS_HOME=", ""),
        ("KERAS_HOME={}", ""),
    ],
)
def test_python_refuses_what_cannot_work(tmp_path, variable, message):
    """Importing lenet_tf is no use of it."""
    name, _, value = variable.partition("=")
    if name == "KERAS_HOME":
        (tmp_path / "keras.json").write_text(value)
        value = str(tmp_path)
    script = (
        "import lenet_tf\nfrom lenet_tf.errors import LenetError\n"
        "from lenet_tf.runtime.keras_settings import check_keras\n"
        "try: check_keras() if sys.argv[1:] else lenet_tf.LeNet\n"
        "except LenetError as error: print(error)\n"
        "assert 'tensorflow' not in sys.modules"
    )
    # The valid ones would start TensorFlow.
    arguments = [] if message else ["check"]
    done = python("-c", f"import sys\n{script}", *arguments, env=os.environ | {name: value})
    assert done.returncode == 0, done.stderr
    assert message in done.stdout
    assert len(done.stdout.splitlines()) == bool(message)


@pytest.fixture
def _keras_settings():
    yield
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(None)


@pytest.mark.usefixtures("_keras_settings")
def test_settings_of_this_process_are_checked_when_they_are_used(digits, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=0)
    keras.config.set_floatx("float64")
    with pytest.raises(LenetError, match="floatx is 'float64' in this process"):
        lenet_tf.LeNet("tiny")
    with pytest.raises(LenetError, match="floatx is 'float64' in this process"):
        quick.fit(model, digits, logs=tmp_path)
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(LenetError, match="image_data_format is 'channels_first'"):
        lenet_tf.LeNet("tiny")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(1)
    with pytest.raises(LenetError, match="max_epochs is 1, which ends each fit early"):
        quick.fit("tiny", digits, logs=tmp_path, quiet=True)
    assert not list(tmp_path.iterdir())


def test_another_backend_builds_models_and_trains_none(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    check_keras(needs_tensorflow=False)
    with pytest.raises(LenetError, match="backend is 'jax'.*needs tensorflow: set KERAS_BACKEND"):
        check_keras()


def render(draw) -> np.ndarray:
    """Draw within the default style and return the pixels."""
    with default_style():
        figure = draw()
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())


def test_a_figure_depends_on_no_matplotlibrc():
    from lenet_tf.evaluation.rbf_code_figure import plot_codes

    expected = render(plot_codes)
    settings = {"text.usetex": True, "font.size": 40, "figure.dpi": 300, "axes.facecolor": "red"}
    with matplotlib.rc_context(settings):
        np.testing.assert_array_equal(render(plot_codes), expected)
        assert matplotlib.rcParams["font.size"] == 40


def test_a_dollar_in_a_name_is_no_mathematics():
    def draw(name):
        figure = Figure(figsize=(2, 1))
        figure.suptitle(name)
        return figure

    assert not np.array_equal(render(lambda: draw("$x$")), render(lambda: draw("x")))
    render(lambda: draw("$x_{$"))


def test_warnings_as_errors_are_refused_before_a_run(digits, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LenetError, match="warnings are errors in this process"):
            quick.fit("tiny", digits, logs=tmp_path)
        warnings.simplefilter("default", DeprecationWarning)
        quick.fit("tiny", digits, logs=tmp_path, quiet=True)


@pytest.mark.parametrize("value", ["-3", "100000", "two", "1.5"])
def test_threads_that_crash_tensorflow_are_refused_in_python(monkeypatch, value):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", value)
    with pytest.raises(
        LenetError, match=f"TF_NUM_INTRAOP_THREADS must be .* 0 to 999, not '{value}"
    ):
        start_tensorflow()
