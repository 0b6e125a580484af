"""LeNet-5 for Keras 3 and TensorFlow: the network of the tutorials and of the 1998 paper, from one table.

    import lenet_tf

    data = lenet_tf.load_data("mnist")
    run = lenet_tf.fit("lenet5", data, epochs=2)
    run.metrics["test_accuracy"]

Importing this package loads neither TensorFlow nor Keras; the names below load what they need when they are first used.
"""

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
    "fit": "training.fit",
    "get_spec": "specs",
    "load_data": "data.sources",
    "load_model": "models.saving",
    "predict": "evaluation.evaluate",
    "prepare_images": "data.preprocessing",
    "read_picture": "inference.image_files",
    "resume": "training.resume",
    "use_one_thread": "runtime.threads",
}
# Public modules by their short names.
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


@wrapt.when_imported("keras")
def _register_model(_: Any) -> None:
    # So that keras.saving.load_model knows LeNet in a process that has only imported lenet_tf, and Keras still loads only when asked for.
    import_module("lenet_tf.models.lenet")


def __getattr__(name: str) -> Any:
    home = _MODULES.get(name) or _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lenet_tf' has no attribute {name!r}")
    if home in _NEED_KERAS:
        import_module("lenet_tf.runtime.tensorflow_start").start_tensorflow()
    module = import_module(f"lenet_tf.{home}")
    return module if name in _MODULES else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
