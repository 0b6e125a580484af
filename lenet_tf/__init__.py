"""A tested LeNet-5 for Keras 3: train it, look inside every layer, check it against the 1998 paper.

Importing this package loads neither TensorFlow nor Keras; a public name loads them when it is
first used and needs them.

Example:
    >>> import lenet_tf
    >>> data = lenet_tf.load_data("sample")
    >>> run = lenet_tf.fit("tiny", data, epochs=2, quiet=True)
    >>> run.metrics["test_accuracy"] > 0.5
    True
"""

import threading
from importlib import import_module
from typing import Any

import wrapt

from lenet_tf.version import __version__ as __version__

# Public name -> module that defines it.
_HOMES = {
    "Board": "training.tensorboard.options",
    "LeNet": "models.lenet",
    "LenetError": "errors",
    "RawData": "data.dataset",
    "Run": "runs.run_folder",
    "Spec": "specs",
    "VARIANTS": "specs",
    "as_digit": "inference.digit_preprocessing",
    "evaluate": "evaluation.evaluate",
    "export": "inference.export.exporter",
    "fit": "training.fit",
    "get_spec": "specs",
    "list_presets": "pretrained.presets",
    "load_data": "data.sources",
    "load_model": "models.saving",
    "predict": "inference.predict",
    "predict_outputs": "evaluation.evaluate",
    "prepare_images": "data.preprocessing",
    "read_picture": "inference.image_files",
    "resume": "training.resume",
    "run_sweep": "sweep.run",
    "use_one_thread": "runtime.threads",
    "write_page": "inference.page.write_page",
}
# Public module -> where it is.
_MODULES = {
    "curvature": "models.curvature",
    "inspection": "evaluation.inspection",
    "layers": "models.layers",
    "pooling": "models.pooling",
}
_NEED_KERAS = (
    "evaluation.evaluate",
    "evaluation.inspection",
    "models.curvature",
    "models.layers",
    "models.lenet",
    "models.pooling",
    "models.saving",
    "training.fit",
    "training.resume",
)

__all__ = list(_HOMES)

# Python's import system can deadlock, or hand out a module that is half loaded, where threads
# import packages that import each other, as Keras and this one do (see the hook below).
_import_lock = threading.RLock()


@wrapt.when_imported("keras")
def _register_model(_: Any) -> None:
    # keras.saving.load_model can then load a LeNet after `import lenet_tf` alone.
    import_module("lenet_tf.models.lenet")


def __getattr__(name: str) -> Any:
    home = _MODULES.get(name) or _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lenet_tf' has no attribute {name!r}")
    with _import_lock:
        if home in _NEED_KERAS:
            import_module("lenet_tf.runtime.tensorflow_start").start_tensorflow()
            # Before this package's own modules: the hook needs them.
            import_module("keras")
        module = import_module(f"lenet_tf.{home}")
    return module if name in _MODULES else getattr(module, name)


def __dir__() -> list[str]:
    # Tab completion offers these: no imports, no private names, no package loaded meanwhile.
    special = {name for name in globals() if name.startswith("__") and name.endswith("__")}
    return sorted(special | {*_HOMES, *_MODULES})
