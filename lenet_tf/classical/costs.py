"""The cost of recognizing one image, by arithmetic, as figures 11 and 12 of the paper count it.

It starts from a size-normalized image: deslanting and reducing are not counted, as in the paper.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Cost(NamedTuple):
    """Cost of a classifier for each image that it recognizes.

    Args:
        multiply_adds: Multiplications of two numbers, each usually followed by an addition.
        memory_values: Numbers that the fitted classifier keeps.
    """

    multiply_adds: int
    memory_values: int


def count_linear(classifier: Any) -> Cost:
    """Count one multiply-add for each weight; weights and biases are kept."""
    return Cost(classifier.coef_.size, classifier.coef_.size + classifier.intercept_.size)


def count_nearest_neighbor(classifier: Any) -> Cost:
    """Count one multiply-add for each pixel of each training image."""
    values = classifier.n_samples_fit_ * classifier.n_features_in_
    return Cost(values, values)


def count_pca_quadratic(classifier: Any) -> Cost:
    """Count the projection, the products of pairs, and a linear classifier of them."""
    cost, projection = count_linear(classifier), classifier.components_.size
    products = classifier.coef_.shape[1]
    return Cost(projection + products + cost.multiply_adds, projection + cost.memory_values)


def count_rbf_network(network: Any) -> Cost:
    """Count the distances to all centers, and a linear classifier of them."""
    cost = count_linear(network.linear_)
    centers = network.centers_.size
    return Cost(centers + cost.multiply_adds, centers + cost.memory_values)


def count_svm(machine: Any) -> Cost:
    """Count the products with all support vectors, and those with their coefficients."""
    values = machine.support_vectors_.size + machine.dual_coef_.size
    return Cost(values, values + machine.intercept_.size)


def count_reduced_set(classifier: Any) -> Cost:
    """Count the products with the vectors that remain, and those with their coefficients."""
    values = classifier.vectors_.size + classifier.weights_.size
    return Cost(values, values + classifier.intercept_.size)


def count_tangent_distance(classifier: Any) -> Cost:
    """Count the Euclidean distances to all images, and the candidates' tangent distances.

    A tangent distance takes the difference's products with both planes' vectors, those between the
    planes, and its square. The small systems of equations are not counted.
    """
    images, vectors, pixels = classifier.planes_.shape
    candidate = (2 * vectors + vectors**2 + 1) * pixels
    multiply_adds = images * pixels + classifier.prefilter_.n_neighbors * candidate
    kept = (classifier.prefilter_._fit_X, classifier.images_, classifier.planes_)
    return Cost(int(multiply_adds), sum(int(np.size(array)) for array in kept))
