"""Other published networks for comparison, and a tiny one for tests."""

from __future__ import annotations

from lenet_tf.specs.recipes import Optimizer, Recipe
from lenet_tf.specs.rows_pooling import Pooling
from lenet_tf.specs.rows_standard import Convolution, Dense, Dropout, Flatten, Input
from lenet_tf.specs.spec import Spec

_CNN_38K = Spec(
    name="cnn-38k",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=10, kernel=5, activation="relu"),
        Pooling("S2", pool="max"),
        Convolution("C3", filters=20, kernel=5, activation="relu"),
        Pooling("S4", pool="max"),
        Flatten(),
        Dense("F5", units=100, activation="relu"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    source="The tutorial's companion post: 28×28 → 10@24×24 → 20@8×8 → 100 → 10",
    notes="ReLU, max pooling, Adam; 38,250 weights and 140 biases",
    expected_parameters=38_390,
)

_LENET_CAFFE = Spec(
    name="lenet-caffe",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=20, kernel=5),
        Pooling("S2", pool="max"),
        Convolution("C3", filters=50, kernel=5),
        Pooling("S4", pool="max"),
        Flatten(),
        Dense("F5", units=500, activation="relu"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    recipe=Recipe(Optimizer("sgd", 0.01, momentum=0.9), epochs=10, batch_size=64),
    source="Caffe's MNIST example (BVLC/caffe, examples/mnist), called LeNet there",
    notes=(
        "20-50-500, max pooling, one ReLU; SGD with momentum. Caffe's weight decay, rate decay "
        "and doubled bias rate are omitted"
    ),
    expected_parameters=431_080,
)

_KERAS_CONVNET = Spec(
    name="keras-convnet",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=32, kernel=3, activation="relu"),
        Pooling("S2", pool="max"),
        Convolution("C3", filters=64, kernel=3, activation="relu"),
        Pooling("S4", pool="max"),
        Flatten(),
        Dropout("D5", rate=0.5),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    recipe=Recipe(epochs=15, batch_size=128),
    source="The Keras documentation's example mnist_convnet",
    notes=(
        "3×3 kernels, ReLU, max pooling, dropout, one dense layer; Adam, 15 epochs; the "
        "documentation reports about 99%"
    ),
    expected_parameters=34_826,
)

_MLP = Spec(
    name="mlp-300-100",
    rows=(
        Input(shape=(28, 28, 1)),
        Flatten(),
        Dense("F1", units=300, activation="tanh"),
        Dense("F2", units=100, activation="tanh"),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    source="LeCun et al. 1998, section III.C: a fully connected network with two hidden layers",
    notes=(
        "no convolution; softmax, cross-entropy and Adam instead of the paper's squared error and "
        "SGD; the paper reports 3.05% test error"
    ),
    expected_parameters=266_610,
)

_TINY = Spec(
    name="tiny",
    rows=(
        Input(shape=(28, 28, 1)),
        Convolution("C1", filters=2, kernel=5, stride=2, activation="tanh"),
        Pooling("S2", pool="average"),
        Flatten(),
        Dense("OUTPUT", units=10, activation="softmax"),
    ),
    recipe=Recipe(epochs=1, batch_size=50),
    source="This project",
    notes="A few hundred weights on the same code path, for tests and quick trials",
    expected_parameters=2 * 26 + (6 * 6 * 2 + 1) * 10,
)

BASELINE_VARIANTS = (_CNN_38K, _LENET_CAFFE, _KERAS_CONVNET, _MLP, _TINY)
