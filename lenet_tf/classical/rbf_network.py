"""A network of radial basis functions whose centers come from k-means, class by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet_tf.classical.scikit_learn import import_sklearn


class RbfNetwork:
    """Gaussian units about k-means centers, followed by a regularized linear classifier.

    All units share one width: their variance is the mean squared distance of the training images
    to the nearest center of their own class, times `width`.

    Args:
        units_per_class: Number of centers of each class.
        width: Factor of the variance.
        penalty: Weight of the squared coefficients of the linear classifier, for each image.
        seed: Chooses the centers from which k-means starts.
    """

    def __init__(
        self,
        units_per_class: int = 100,
        width: float = 1.0,
        penalty: float = 1e-6,
        seed: int = 0,
    ) -> None:
        self.units_per_class, self.width, self.penalty = units_per_class, width, penalty
        self.seed = seed

    def fit(self, features: np.ndarray, labels: np.ndarray) -> RbfNetwork:
        """Find the centers, then fit the linear classifier.

        Args:
            features: float32 of shape (N, d).
            labels: Whole numbers of shape (N,).

        Returns:
            The network.
        """
        linear_model = import_sklearn("linear_model")
        groups = [self._cluster(features[labels == label]) for label in np.unique(labels)]
        self.centers_ = np.concatenate([group.cluster_centers_ for group in groups])
        variance = sum(group.inertia_ for group in groups) / len(features)
        self.gamma_ = 1 / (2 * self.width * variance)
        self.linear_ = linear_model.RidgeClassifier(self.penalty * len(features))
        self.linear_.fit(self.compute_units(features), labels)
        return self

    def _cluster(self, features: np.ndarray) -> Any:
        cluster = import_sklearn("cluster")
        clusters = min(self.units_per_class, len(features))
        return cluster.KMeans(clusters, n_init=1, random_state=self.seed).fit(features)

    def compute_units(self, features: np.ndarray) -> np.ndarray:
        """Return the output of each Gaussian unit, exp(−γ‖x − c‖²), shape (N, units)."""
        pairwise = import_sklearn("metrics.pairwise")
        # In float64, since the linear classifier solves normal equations.
        return pairwise.rbf_kernel(features.astype(np.float64), self.centers_, self.gamma_)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the class of each image, shape (N,)."""
        return self.linear_.predict(self.compute_units(features))
