"""What a command leaves out when it starts TensorFlow, and what Python users keep."""

from __future__ import annotations

import gc
import sys

import pytest
from processes import python

from lenet_tf.runtime.quick_imports import (
    OPTIONAL_PACKAGES,
    hide_packages,
    pause_garbage_collection,
)


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "shy_package.py").write_text("VALUE = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "shy_package"
    sys.modules.pop("shy_package", None)


def test_a_hidden_package_cannot_be_imported_until_the_block_ends(package):
    with hide_packages([package]), pytest.raises(ImportError):
        __import__(package)
    assert __import__(package).VALUE == 7


def test_a_package_that_is_loaded_already_stays(package):
    loaded = __import__(package)
    with hide_packages([package]):
        assert __import__(package) is loaded
    assert sys.modules[package] is loaded


def test_hidden_packages_come_back_after_an_error(package):
    with pytest.raises(RuntimeError, match="import failed"), hide_packages([package]):
        raise RuntimeError("import failed")
    assert __import__(package).VALUE == 7


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_is_left_as_it_was(is_enabled):
    was_enabled, frozen = gc.isenabled(), gc.get_freeze_count()
    try:
        (gc.enable if is_enabled else gc.disable)()
        with pause_garbage_collection(keeps_modules=False):
            assert not gc.isenabled()
        assert gc.isenabled() == is_enabled
        assert gc.get_freeze_count() == frozen
    finally:
        (gc.enable if was_enabled else gc.disable)()


START = """
import sys
from lenet_tf.runtime.settings import pin_settings
from lenet_tf.runtime.tensorflow_start import start_tensorflow
"""
# What is left out must be there for later imports; `keras` reads data frames if it was there.
REPORT = f"""
start_tensorflow()
print(sorted(set({OPTIONAL_PACKAGES!r}) & set(sys.modules)))
import keras, numpy, matplotlib.pyplot, scipy.stats, sklearn.base, pandas
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
frame = pandas.DataFrame(dict(a=[0.0, 1.0], b=[1.0, 0.0]))
try:
    print(model.predict(frame, verbose=0).shape)
except Exception as error:
    print(type(error).__name__)
print(model.predict(numpy.ones((2, 2)), verbose=0).shape)
"""


@pytest.mark.slow
def test_a_command_starts_without_packages_that_keras_merely_offers_to_use():
    done = python("-c", f"{START}pin_settings(){REPORT}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("[]", "(2, 1)")


@pytest.mark.slow
def test_python_users_keep_keras_whole():
    done = python("-c", START + REPORT)
    assert done.returncode == 0, done.stderr
    assert "pandas" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1:] == ["(2, 1)", "(2, 1)"]
