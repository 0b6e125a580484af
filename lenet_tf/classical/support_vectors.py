"""Polynomial support vector machines, also with a reduced set of vectors."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from lenet_tf.classical.images import normalize
from lenet_tf.classical.scikit_learn import import_sklearn

# Megabytes in which libsvm keeps columns of the kernel matrix.
_CACHE = 1_000


def build_svm(degree: int, penalty: float = 10.0) -> Any:
    """Build an unfitted machine for images of norm 1, with the kernel (x'z)^degree.

    Args:
        degree: Degree of the polynomial.
        penalty: Cost C of an image inside of the margin.

    Returns:
        A `sklearn.svm.SVC`, one machine for each pair of classes.
    """
    svm = import_sklearn("svm")
    return svm.SVC(C=penalty, kernel="poly", degree=degree, gamma=1.0, cache_size=_CACHE)


class ReducedSetSvm:
    """A machine whose support vectors are replaced by few vectors for all pairs of classes.

    The vectors are k-means centers of each class' support vectors. Their coefficients minimize the
    distance to the machine's normal vectors in the kernel's space.

    Args:
        machine: An unfitted `sklearn.svm.SVC`.
        vectors: Number of vectors that remain.
        seed: Chooses the centers from which k-means starts.
    """

    def __init__(self, machine: Any, vectors: int, seed: int = 0) -> None:
        self.machine, self.vectors, self.seed = machine, vectors, seed

    def fit(self, features: np.ndarray, labels: np.ndarray) -> ReducedSetSvm:
        """Fit the machine, then reduce it.

        Args:
            features: float32 of shape (N, d), each of norm 1.
            labels: Whole numbers of shape (N,).

        Returns:
            The classifier.
        """
        self.machine.fit(features, labels)
        self.classes_ = self.machine.classes_
        self.pairs_ = list(combinations(range(len(self.classes_)), 2))
        support, weights = self._find_pair_weights()
        self.vectors_ = self._choose_vectors(labels[self.machine.support_])
        kernel = self._compute_kernel(self.vectors_, self.vectors_)
        target = self._compute_kernel(self.vectors_, support) @ weights
        self.weights_ = np.linalg.lstsq(kernel, target, rcond=1e-12)[0]
        self.intercept_ = self.machine.intercept_
        return self

    def _find_pair_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the support vectors, and their coefficients for each pair of classes."""
        support, duals = self.machine.support_vectors_, self.machine.dual_coef_
        ends = np.cumsum(self.machine.n_support_)
        parts = [
            slice(*bounds) for bounds in zip(ends - self.machine.n_support_, ends, strict=True)
        ]
        weights = np.zeros((len(support), len(self.pairs_)))
        for pair, (first, second) in enumerate(self.pairs_):
            # Row k of a class' coefficients belongs to the k-th of the other classes.
            weights[parts[first], pair] = duals[second - 1, parts[first]]
            weights[parts[second], pair] = duals[first, parts[second]]
        return support, weights

    def _choose_vectors(self, labels: np.ndarray) -> np.ndarray:
        cluster = import_sklearn("cluster")
        support = self.machine.support_vectors_
        centers = []
        for label in self.classes_:
            own = support[labels == label]
            count = min(len(own), max(1, round(self.vectors * len(own) / len(support))))
            found = (
                cluster.KMeans(count, n_init=1, random_state=self.seed).fit(own).cluster_centers_
            )
            centers.append(normalize(found))
        return np.concatenate(centers)

    def _compute_kernel(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        pairwise = import_sklearn("metrics.pairwise")
        machine = self.machine
        one, other = one.astype(np.float64), other.astype(np.float64)
        return pairwise.polynomial_kernel(one, other, machine.degree, machine.gamma, machine.coef0)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the class that wins most pairs, shape (N,)."""
        outputs = self._compute_kernel(features, self.vectors_) @ self.weights_ + self.intercept_
        votes = np.zeros((len(features), len(self.classes_)), int)
        for pair, (first, second) in enumerate(self.pairs_):
            winners = np.where(outputs[:, pair] > 0, first, second)
            votes[np.arange(len(features)), winners] += 1
        return self.classes_[votes.argmax(axis=1)]
