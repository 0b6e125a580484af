"""Words of other libraries for this package's kinds, fields and values.

They are suggested in error messages and never accepted: a file has one spelling.
"""

from __future__ import annotations

from collections.abc import Iterable

# This package's word -> words of Keras, PyTorch, scikit-learn and papers, without `_` and `-`.
# What follows the first space is shown too.
_WORDS: dict[str, str] = {
    # kinds of rows
    "convolution": "conv conv2d convlayer convolution2d convolutional",
    'pooling with pool = "max"': "maxpool maxpool2d maxpooling maxpooling2d",
    'pooling with pool = "average"': "avgpool avgpool2d averagepooling averagepooling2d",
    "global_average_pooling": "gap globalavgpool globalaveragepooling2d adaptiveavgpool2d",
    "dense": "linear fc fullyconnected innerproduct denselayer affine",
    "batch_normalization": "bn batchnorm batchnorm2d",
    "rbf": "euclideanrbf",
    "input": "inputlayer",
    "flatten": "reshape view",
    # fields
    "kind": "type layer layertype",
    "learning_rate": "lr eta stepsize learningrateinit",
    "kernel": "kernelsize filtersize kernelshape",
    "size": "poolsize kernelsize windowsize",
    "stride": "strides",
    "filters": "channels outchannels numfilters nfilters featuremaps maps",
    "units": "outfeatures hiddenunits neurons nodes hidden",
    "activation": "act nonlinearity activationfunction",
    "rate": "p prob dropout dropoutrate",
    "pool": "pooltype pooling",
    "initializer": "init kernelinitializer weightinit",
    "padding": "pad",
    "pad_to": "pad resize imagesize",
    "shape": "inputshape inputsize imagesize",
    "rows": "layers",
    "data": "dataset",
    "batch_size": "bs batch minibatch",
    "epochs": "epoch nepochs numepochs maxepochs maxiter",
    "weight_decay": "wd decay l2",
    "beta_2": "betas beta2",
    "schedule": "scheduler lrschedule lrscheduler",
    "loss": "criterion objective lossfn",
    "optimizer": "opt optim solver",
    "validation": "validationsplit valsplit validationfraction testsize",
    "label_smoothing": "smoothing",
    "augmentation": "augment dataaugmentation",
    "translation": "translate shift widthshift",
    "scaling": "scale zoom",
    "normalization": "norm normalize rescale",
    # values
    "average": "avg mean",
    "max": "maximum",
    "categorical_crossentropy": "xent ce crossentropy logloss nll sparsecategoricalcrossentropy",
    "mean_squared_error": "mse l2",
    "mean_absolute_error": "mae l1",
    "silu": "swish",
    "sigmoid": "logistic",
    "linear": "identity none",
    "sgd": "momentum sgdm",
    "glorot_uniform": "glorot xavier xavieruniform",
    "glorot_normal": "xaviernormal",
    "he_normal": "he kaiming kaimingnormal",
    "he_uniform": "kaiminguniform",
    "lecun_normal": "lecun",
    "random_normal": "normal gaussian",
    "random_uniform": "uniform",
    "one_cycle": "onecyclelr",
}
# Field -> the table of a file that has it, for a field in another table.
HOMES: dict[str, str] = {
    **dict.fromkeys(("learning_rate", "momentum", "nesterov", "beta_2"), "recipe.optimizer"),
    **dict.fromkeys(("weight_decay", "schedule", "warm_up"), "recipe.optimizer"),
    **dict.fromkeys(("optimizer", "loss", "epochs", "batch_size", "validation"), "recipe"),
    **dict.fromkeys(("label_smoothing", "augmentation"), "recipe"),
    **dict.fromkeys(("normalization", "pad_to", "digit_size"), "preparation"),
}


def _normalize(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def find_synonyms(word: str, known: Iterable[str]) -> list[str]:
    """Find what this package calls a thing that other libraries call `word`.

    Args:
        word: A kind, field or value.
        known: The names that are valid here.

    Returns:
        Valid names, some with an explanation behind them.

    Example:
        >>> from lenet_tf.specs.synonyms import find_synonyms
        >>> find_synonyms("kernel_size", ["kernel", "stride"])
        ['kernel']
    """
    names, plain = list(known), _normalize(word)
    same = [name for name in names if _normalize(name) == plain]
    return same or [
        own for own, words in _WORDS.items() if plain in words.split() and own.split()[0] in names
    ]


def find_home(word: str) -> str:
    """Say which table of a file has a field.

    Args:
        word: The field, or what another library calls it.

    Returns:
        Text such as `learning_rate belongs in recipe.optimizer`, or nothing.
    """
    for name in find_synonyms(word, HOMES):
        return f"{name} belongs in {HOMES[name]}"
    return ""
