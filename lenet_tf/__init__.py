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

__version__ = "0.3.0"

_HOMES = {
    "Board": "board.options",
    "LeNet": "model",
    "LenetError": "errors",
    "RawData": "data",
    "Run": "runs",
    "Spec": "specs",
    "VARIANTS": "specs",
    "as_digit": "handwriting",
    "evaluate": "evaluation",
    "fit": "training",
    "get_spec": "specs",
    "load_data": "sources",
    "load_model": "model_files",
    "predict": "evaluation",
    "prepare_images": "data",
    "read_picture": "sources.pictures",
    "resume": "resuming",
    "use_one_thread": "device",
}

_NEED_KERAS = ("evaluation", "model", "model_files", "resuming", "training")
# Modules for whoever looks inside, which load Keras as well.
_MODULES = ("inspection", "layers", "pooling", "second_order")

__all__ = list(_HOMES)


@wrapt.when_imported("keras")
def _register_model(_: Any) -> None:
    # So that keras.saving.load_model knows LeNet in a process that has only imported lenet_tf, and Keras still loads only when asked for.
    import_module("lenet_tf.model")


def __getattr__(name: str) -> Any:
    home = name if name in _MODULES else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lenet_tf' has no attribute {name!r}")
    if home in _NEED_KERAS or home in _MODULES:
        import_module("lenet_tf.device").start_tensorflow()
    module = import_module(f"lenet_tf.{home}")
    return module if home == name else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
