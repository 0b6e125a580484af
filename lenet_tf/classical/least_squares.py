"""Linear classifiers that solve a least-squares problem, alone, in pairs and after products."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from lenet_tf.classical.scikit_learn import import_sklearn

# Without it, 4,000 training images give pixels that are rarely lit huge weights: 82 % errors of
# the pairwise classifier. With 60,000, it changes hardly an error.
PENALTY = 1.0


class LeastSquaresClassifier:
    """A single layer of linear units, one for each class, trained on targets of +1 and −1.

    The squared error is minimized exactly, with a small penalty.
    """

    def fit(self, features: np.ndarray, labels: np.ndarray) -> LeastSquaresClassifier:
        """Fit weights and biases.

        Args:
            features: Floats of shape (N, d).
            labels: Whole numbers of shape (N,).

        Returns:
            The classifier.
        """
        self.classes_, positions = np.unique(labels, return_inverse=True)
        targets = np.where(positions[:, None] == np.arange(len(self.classes_)), 1.0, -1.0)
        self.coef_, self.intercept_ = solve_least_squares(features, targets)
        return self

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Return the output of each unit, shape (N, classes)."""
        return features @ self.coef_.T + self.intercept_

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the class of the largest output, shape (N,)."""
        return self.classes_[self.decision_function(features).argmax(axis=1)]


class PairwiseLinearClassifier(LeastSquaresClassifier):
    """One linear unit for each pair of classes; a class' score sums its units' outputs.

    A unit is trained to +1 on its first class and to −1 on its second, and on no other images. Its
    output is a sign, since units give large sums for classes that they were not trained on. It adds
    the output to the score of the first class and subtracts it from the second's.
    """

    def fit(self, features: np.ndarray, labels: np.ndarray) -> PairwiseLinearClassifier:
        """Fit the units, as `LeastSquaresClassifier.fit`."""
        self.classes_ = np.unique(labels)
        self.pairs_ = list(combinations(range(len(self.classes_)), 2))
        units = []
        for first, second in self.pairs_:
            is_used = np.isin(labels, self.classes_[[first, second]])
            targets = np.where(labels[is_used] == self.classes_[first], 1.0, -1.0)
            units.append(solve_least_squares(features[is_used], targets[:, None]))
        self.coef_ = np.concatenate([coefficients for coefficients, _ in units])
        self.intercept_ = np.concatenate([intercept for _, intercept in units])
        return self

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Return the score of each class, shape (N, classes)."""
        signs = np.zeros((len(self.pairs_), len(self.classes_)))
        for unit, (first, second) in enumerate(self.pairs_):
            signs[unit, [first, second]] = 1, -1
        return np.sign(super().decision_function(features)) @ signs


class PcaQuadraticClassifier(LeastSquaresClassifier):
    """A least-squares classifier of all products of two principal components.

    The paper's classifier has 821 inputs for 40 components: 820 products, squares included, and a
    constant. The mean is not subtracted from an image, so that its first components hardly vary,
    and products with them stand in for the components themselves.

    Args:
        components: Number of principal components.
    """

    def __init__(self, components: int = 40) -> None:
        self.components = components

    def fit(self, features: np.ndarray, labels: np.ndarray) -> PcaQuadraticClassifier:
        """Fit the principal components, then the classifier, as `LeastSquaresClassifier.fit`."""
        decomposition = import_sklearn("decomposition")
        pca = decomposition.PCA(self.components, svd_solver="full").fit(features)
        self.components_ = pca.components_
        super().fit(self._expand(features), labels)
        return self

    def _expand(self, features: np.ndarray) -> np.ndarray:
        projections = features @ self.components_.T
        first, second = np.triu_indices(self.components)
        return projections[:, first] * projections[:, second]

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Return the output of each unit, shape (N, classes)."""
        return super().decision_function(self._expand(features))


def solve_least_squares(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimize the squared error of linear units with a bias, and PENALTY times squared weights.

    Args:
        features: Floats of shape (N, d).
        targets: Floats of shape (N, units).

    Returns:
        Weights of shape (units, d) and biases (units,), in float64.
    """
    linear_model = import_sklearn("linear_model")
    model = linear_model.Ridge(PENALTY, copy_X=False, solver="cholesky")
    model.fit(features.astype(np.float64), targets)
    # For one unit, some versions of scikit-learn return a vector.
    return model.coef_.reshape(targets.shape[1], -1), np.reshape(model.intercept_, -1)
