"""The nearest neighbor by tangent distance (Simard, LeCun and Denker 1993)."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet_tf.classical.scikit_learn import import_sklearn

# Images whose tangent vectors are computed at a time.
_BLOCK = 2_000


def compute_tangents(images: np.ndarray) -> np.ndarray:
    """Compute the directions in which small distortions move images.

    They are two translations, scaling, rotation, squeezing, skewing and thickening.

    Args:
        images: Smooth images of shape (N, side, side).

    Returns:
        Floats of the images' dtype, shape (N, 7, side · side).
    """
    count, side, _ = images.shape
    down, right = np.gradient(images, axis=(1, 2))
    middle = (side - 1) / 2
    y, x = (np.mgrid[:side, :side] - middle).astype(images.dtype)
    tangents = [
        right,
        down,
        x * right + y * down,
        y * right - x * down,
        x * right - y * down,
        y * right + x * down,
        right**2 + down**2,
    ]
    return np.stack(tangents, axis=1).reshape(count, len(tangents), side * side)


def orthonormalize(tangents: np.ndarray) -> np.ndarray:
    """Return orthonormal vectors that span the same planes, shape (N, vectors, pixels)."""
    return np.swapaxes(np.linalg.qr(np.swapaxes(tangents, 1, 2)).Q, 1, 2)


def compute_distances(
    image: np.ndarray,
    plane: np.ndarray,
    others: np.ndarray,
    planes: np.ndarray,
    spring: float,
) -> np.ndarray:
    """Compute the squared two-sided tangent distances of one image to others.

    A distance is the smallest ‖(x + P'a) − (z + Q'b)‖² + spring · (‖a‖² + ‖b‖²) over a and b.

    Args:
        image: The pixels x, shape (pixels,).
        plane: Its orthonormal tangent vectors P, shape (vectors, pixels).
        others: The pixels z of each other image, shape (N, pixels).
        planes: Their orthonormal tangent vectors Q, shape (N, vectors, pixels).
        spring: Weight of the distortions' size; 0 for none.

    Returns:
        The squared distances, shape (N,).
    """
    difference = image - others
    along_plane = difference @ plane.T
    along_planes = (planes @ difference[:, :, None])[:, :, 0]
    between = planes @ plane.T
    stiffness = 1 + spring
    # The normal equations, from which a is eliminated: stiffness · a = between' b − along_plane.
    matrix = -(between @ np.swapaxes(between, 1, 2)) / stiffness
    matrix += stiffness * np.eye(len(plane), dtype=matrix.dtype)
    right = along_planes - (between @ along_plane[:, :, None])[:, :, 0] / stiffness
    b = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
    a = ((b[:, None] @ between)[:, 0] - along_plane) / stiffness
    squares = np.square(difference).sum(axis=1)
    return squares + (a * along_plane).sum(axis=1) - (b * along_planes).sum(axis=1)


class TangentDistanceClassifier:
    """The class of the nearest training image by tangent distance.

    Args:
        candidates: Number of nearest training images by Euclidean distance that are compared by
            tangent distance.
        smoothing: Standard deviation, in pixels, of the Gaussian that smooths images.
        spring: As in `compute_distances`.
    """

    def __init__(self, candidates: int = 100, smoothing: float = 0.7, spring: float = 0.01) -> None:
        self.candidates, self.smoothing, self.spring = candidates, smoothing, spring

    def fit(self, features: np.ndarray, labels: np.ndarray) -> TangentDistanceClassifier:
        """Keep the training images with their tangent vectors.

        Args:
            features: float32 of shape (N, side · side).
            labels: Whole numbers of shape (N,).

        Returns:
            The classifier.
        """
        neighbors = import_sklearn("neighbors")
        self.labels_ = np.asarray(labels)
        self.images_, self.planes_ = self._prepare(features)
        count = min(self.candidates, len(features))
        self.prefilter_ = neighbors.NearestNeighbors(n_neighbors=count, algorithm="brute").fit(
            features
        )
        return self

    def _prepare(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy import ndimage

        side = int(np.sqrt(features.shape[1]))
        images = ndimage.gaussian_filter(
            features.reshape(-1, side, side), (0, self.smoothing, self.smoothing), mode="constant"
        )
        blocks = [images[start : start + _BLOCK] for start in range(0, len(images), _BLOCK)]
        planes = [orthonormalize(compute_tangents(block)) for block in blocks]
        return images.reshape(features.shape), np.concatenate(planes)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the class of each image, shape (N,)."""
        blocks = range(0, len(features), _BLOCK)
        return np.concatenate([self._predict(features[at : at + _BLOCK]) for at in blocks])

    def _predict(self, features: np.ndarray) -> np.ndarray:
        images, planes = self._prepare(features)
        nearest = self.prefilter_.kneighbors(features, return_distance=False)
        return np.array(
            [
                self.labels_[chosen[self._measure(image, plane, chosen).argmin()]]
                for image, plane, chosen in zip(images, planes, nearest, strict=True)
            ]
        )

    def _measure(self, image: np.ndarray, plane: np.ndarray, chosen: Any) -> np.ndarray:
        others, planes = self.images_[chosen], self.planes_[chosen]
        return compute_distances(image, plane, others, planes, self.spring)
