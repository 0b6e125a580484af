"""The classical classifiers by name, each with its reading of the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet_tf.classical import costs, images
from lenet_tf.classical.least_squares import (
    LeastSquaresClassifier,
    PairwiseLinearClassifier,
    PcaQuadraticClassifier,
)
from lenet_tf.classical.rbf_network import RbfNetwork
from lenet_tf.classical.scikit_learn import import_sklearn
from lenet_tf.classical.support_vectors import ReducedSetSvm, build_svm
from lenet_tf.classical.tangent_distance import TangentDistanceClassifier

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData

# 650,000 multiply-adds, as in figure 11, for images of 20×20 pixels and 45 pairs of classes.
_REDUCED_SET = 1_461


@dataclass(frozen=True)
class Method:
    """A classifier of figure 9 that is no network.

    Args:
        name: The name on the command line and in file names.
        title: A short description.
        reading: How the paper was read where it is open, in Markdown.
        prepare: Turns raw uint8 images (N, 28, 28) into float32 features (N, d).
        build: Turns a seed into an unfitted estimator with scikit-learn's `fit` and `predict`.
        macs: Counts the cost of recognizing one image by the fitted estimator.
        is_random: Whether the result depends on the seed.
    """

    name: str
    title: str
    reading: str
    prepare: Callable[[np.ndarray], np.ndarray]
    build: Callable[[int], Any]
    macs: Callable[[Any], costs.Cost]
    is_random: bool = False


def _build_nearest_neighbor(seed: int) -> Any:
    neighbors = import_sklearn("neighbors")
    return neighbors.KNeighborsClassifier(3, algorithm="brute")


_DESLANTED = (
    "Any pixel above 0 is foreground. Lines are shifted about the center of the foreground, with"
    " linear interpolation, and the central 20×20 pixels are used."
)
_LEAST_SQUARES = (
    "Squared error against targets of +1 and −1, minimized exactly, with the penalty 1 on the sum"
    " of squared weights; the paper also tried sigmoids and gradient descent, with similar results."
)
_MAJORITY = "The majority of the k = 3 nearest training images, on all"
_SVM = (
    "The kernel (x·z)ᵈ of images that are scaled to norm 1, C = 10, one machine for each pair of"
    " classes; the paper names only the degree."
)

_ALL = (
    Method(
        "linear",
        "Linear classifier",
        _LEAST_SQUARES,
        images.flatten_pixels,
        lambda seed: LeastSquaresClassifier(),
        costs.count_linear,
    ),
    Method(
        "linear-deskewed",
        "Linear classifier, deslanted images",
        f"{_LEAST_SQUARES} {_DESLANTED}",
        images.deslant_images,
        lambda seed: LeastSquaresClassifier(),
        costs.count_linear,
    ),
    Method(
        "pairwise-linear",
        "Pairwise linear classifier",
        "45 units, each fitted by least squares to two classes, with the penalty 1 on the sum of"
        " squared weights. A class' score is the signed sum of its units' outputs, as in the paper."
        " The output of a unit is read as its sign: sums of linear outputs give 16.98 % errors,"
        " limited to −1…+1 9.72 %.",
        images.flatten_pixels,
        lambda seed: PairwiseLinearClassifier(),
        costs.count_linear,
    ),
    Method(
        "knn",
        "k-NN, Euclidean, k = 3",
        f"{_MAJORITY} 28×28 pixels. The paper gives k = 3 only for deslanted images.",
        images.flatten_pixels,
        _build_nearest_neighbor,
        costs.count_nearest_neighbor,
    ),
    Method(
        "knn-deskewed",
        "k-NN, Euclidean, k = 3, deslanted images",
        f"{_MAJORITY} 20×20 pixels. {_DESLANTED}",
        images.deslant_images,
        _build_nearest_neighbor,
        costs.count_nearest_neighbor,
    ),
    Method(
        "pca-quadratic",
        "40 principal components and a quadratic classifier",
        "The paper's 821 inputs are the 820 products of two components, squares included, and a"
        " constant. Images are projected on the components without subtracting the mean: with it,"
        " the same inputs have 3.92% errors. Least squares to +1 and −1.",
        images.flatten_pixels,
        lambda seed: PcaQuadraticClassifier(),
        costs.count_pca_quadratic,
    ),
    Method(
        "rbf",
        "1,000 radial basis functions and a linear classifier",
        "k-means finds 100 centers for each class. One variance for all units, which the paper"
        " leaves open: the mean squared distance of an image to its center. Ridge regression with"
        " the penalty 10⁻⁶ for each image.",
        images.flatten_pixels,
        lambda seed: RbfNetwork(seed=seed),
        costs.count_rbf_network,
        is_random=True,
    ),
    Method(
        "tangent-distance",
        "Tangent distance, 16×16 pixels",
        "The central 20×20 pixels are reduced to 16×16. The nearest neighbor by two-sided tangent"
        " distance with seven distortions, among the 100 nearest by Euclidean distance: one"
        " prefilter instead of the paper's at several resolutions. Images are smoothed by a"
        " Gaussian of 0.7 pixels; distortions cost 0.01 times their square.",
        images.reduce_images,
        lambda seed: TangentDistanceClassifier(),
        costs.count_tangent_distance,
    ),
    Method(
        "svm-poly-4",
        "SVM, polynomial of degree 4",
        _SVM,
        images.normalize_pixels,
        lambda seed: build_svm(4),
        costs.count_svm,
    ),
    Method(
        "svm-poly-4-deskewed",
        "SVM, polynomial of degree 4, deslanted images",
        f"{_SVM} {_DESLANTED}",
        images.normalize_deslanted,
        lambda seed: build_svm(4),
        costs.count_svm,
    ),
    Method(
        "svm-reduced-poly-5",
        "Reduced-set SVM, polynomial of degree 5, deslanted images",
        f"{_SVM} {_DESLANTED} {_REDUCED_SET:,} k-means centers of the support vectors replace them;"
        " only their coefficients are optimized, where the paper also moves the vectors.",
        images.normalize_deslanted,
        # The seed only starts k-means; one run of the machine is long enough.
        lambda seed: ReducedSetSvm(build_svm(5), _REDUCED_SET),
        costs.count_reduced_set,
    ),
)
METHODS: dict[str, Method] = {method.name: method for method in _ALL}


def run_method(name: str, data: RawData, seed: int = 0, limit: int | None = None) -> dict[str, Any]:
    """Fit a classifier to the training images and let it classify the test images.

    Args:
        name: A name of `METHODS`.
        data: Gray images of 28×28 pixels.
        seed: Chooses the random numbers of a method that `is_random`.
        limit: Number of test images to classify, from the first. None takes all.

    Returns:
        `errors` and `images`, the counts; `predictions`, uint8 of shape (images,);
        `train_seconds` and `test_seconds`, each with the preparation of its images; `peak_mib`,
        the largest memory of this process so far; `multiply_adds` and `memory_values` of one
        recognition, without preparation.

    Raises:
        DataError: The images have another shape.
        LenetError: scikit-learn is not installed.
        SpecError: No method has this name.

    Example:
        >>> import lenet_tf
        >>> result = run_method("knn", lenet_tf.load_data("sample"), limit=100)
        >>> result["images"]
        100
    """
    from lenet_tf.classical.run import run

    return run(METHODS, name, data, seed, limit)
