"""The classical classifiers of figure 9 against independent references, on the sample."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import threadpoolctl
from scipy import ndimage, optimize
from sklearn.svm import SVC

import lenet_tf
from lenet_tf.classical import images, tangent_distance
from lenet_tf.classical.methods import METHODS, run_method
from lenet_tf.classical.rbf_network import RbfNetwork
from lenet_tf.classical.support_vectors import ReducedSetSvm, build_svm
from lenet_tf.runtime import optional_packages


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Matrix products in more threads than free cores would wait for each other."""
    with threadpoolctl.threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def sample():
    return lenet_tf.load_data("sample")


@pytest.fixture(scope="module")
def small(sample):
    """1,000 digits to train and 200 to test."""
    parts = {"x_train": 1_000, "y_train": 1_000, "x_test": 200, "y_test": 200}
    return replace(sample, **{name: getattr(sample, name)[:count] for name, count in parts.items()})


def prepare(data, name):
    """Return the features of a method as float64, without its own code for fitting."""
    parts = (data.x_train[..., 0], data.x_test[..., 0])
    return [METHODS[name].prepare(part).astype(np.float64) for part in parts]


def solve_by_rows(features, targets):
    """Solve ridge regression with the penalty 1 as least squares with more rows."""
    mean, middle = features.mean(axis=0), targets.mean(axis=0)
    rows = np.concatenate([features - mean, np.eye(features.shape[1])])
    padding = np.zeros((features.shape[1], targets.shape[1]))
    weights = np.linalg.lstsq(rows, np.concatenate([targets - middle, padding]), rcond=None)[0]
    return weights, middle - mean @ weights


def multiply_pairs(rows):
    """Return the products of all pairs of values, squares included, by loops."""
    return np.array(
        [[row[i] * row[j] for i in range(len(row)) for j in range(i, len(row))] for row in rows]
    )


# The number of errors on the sample's 1,000 test digits lies between the bounds.
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("linear", 165, 187),
        ("linear-deskewed", 80, 110),
        ("pairwise-linear", 92, 116),
        ("knn", 60, 76),
        ("knn-deskewed", 30, 44),
        ("pca-quadratic", 37, 53),
        ("rbf", 28, 45),
        ("tangent-distance", 16, 28),
        ("svm-poly-4-deskewed", 18, 30),
        pytest.param("svm-poly-4", 25, 40, marks=pytest.mark.slow),
        pytest.param("svm-reduced-poly-5", 18, 32, marks=pytest.mark.slow),
    ],
)
def test_errors_on_the_sample(sample, name, low, high):
    result = run_method(name, sample)
    assert low <= result["errors"] <= high
    assert result["errors"] == (result["predictions"] != sample.y_test).sum()
    assert (result["images"], result["predictions"].dtype) == (1_000, np.uint8)
    assert min(result["train_seconds"], result["test_seconds"]) > 0
    assert result["peak_mib"] > 50


@pytest.mark.parametrize("name", ["linear", "linear-deskewed"])
def test_the_linear_classifier_solves_a_ridge_regression(small, name):
    train, test = prepare(small, name)
    weights, biases = solve_by_rows(train, 2 * np.eye(10)[small.y_train] - 1)
    expected = (test @ weights + biases).argmax(axis=1)
    np.testing.assert_array_equal(run_method(name, small)["predictions"], expected)


def test_the_pairwise_classifier_sums_the_outputs_of_its_units(small):
    train, test = prepare(small, "linear-deskewed")
    scores = np.zeros((len(test), 10))
    for first, second in combinations(range(10), 2):
        is_used = (small.y_train == first) | (small.y_train == second)
        targets = np.where(small.y_train[is_used] == first, 1.0, -1.0)[:, None]
        weights, biases = solve_by_rows(train[is_used], targets)
        outputs = np.sign(test @ weights + biases)[:, 0]
        scores[:, first] += outputs
        scores[:, second] -= outputs
    classifier = METHODS["pairwise-linear"].build(0).fit(train, small.y_train)
    np.testing.assert_allclose(classifier.decision_function(test), scores, atol=1e-6)
    np.testing.assert_array_equal(classifier.predict(test), scores.argmax(axis=1))


@pytest.mark.parametrize("name", ["knn", "knn-deskewed"])
def test_nearest_neighbors_are_those_of_all_distances(small, name):
    train, test = prepare(small, name)
    squares = (test**2).sum(1)[:, None] - 2 * test @ train.T + (train**2).sum(1)
    nearest = small.y_train[np.argsort(squares, axis=1)[:, :3]]
    expected = [np.bincount(labels, minlength=10).argmax() for labels in nearest]
    np.testing.assert_array_equal(run_method(name, small)["predictions"], expected)


def test_the_quadratic_classifier_multiplies_all_pairs_of_components(small):
    train, test = prepare(small, "pca-quadratic")
    _, directions = np.linalg.eigh(np.cov(train.T))
    train, test = (part @ directions[:, ::-1][:, :40] for part in (train, test))
    train, test = multiply_pairs(train), multiply_pairs(test)
    assert train.shape == (1_000, 820)
    weights, biases = solve_by_rows(train, 2 * np.eye(10)[small.y_train] - 1)
    expected = (test @ weights + biases).argmax(axis=1)
    predictions = run_method("pca-quadratic", small)["predictions"]
    # The components are in float32.
    assert (predictions == expected).mean() >= 0.99


def test_radial_units_are_gaussians_about_centers_of_their_class(small):
    train, test = prepare(small, "rbf")
    network = RbfNetwork(20, seed=3).fit(train.astype(np.float32), small.y_train)
    count = len(network.centers_) // 10
    distances = [
        np.linalg.norm(train[small.y_train == label][:, None] - centers, axis=2).min(axis=1)
        for label, centers in enumerate(np.split(network.centers_, np.arange(1, 10) * count))
    ]
    variance = np.square(np.concatenate(distances)).mean()
    squares = np.square(test[:20, None] - network.centers_).sum(axis=2)
    units = network.compute_units(test[:20].astype(np.float32))
    np.testing.assert_allclose(units, np.exp(-squares / (2 * variance)), rtol=1e-3)


def test_only_the_seed_of_a_random_method_counts(small):
    assert [name for name, method in METHODS.items() if method.is_random] == ["rbf"]
    first, again, other = (
        METHODS["rbf"].build(seed).fit(*fit_arguments(small)).centers_ for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def fit_arguments(data):
    return METHODS["rbf"].prepare(data.x_train[..., 0]), data.y_train


@pytest.mark.parametrize("spring", [0.0, 0.1])
def test_the_tangent_distance_is_the_smallest_between_two_planes(sample, spring):
    smooth = ndimage.gaussian_filter(sample.x_train[:6, 4:24, 4:24, 0] / 255, (0, 1, 1))
    tangents = tangent_distance.compute_tangents(smooth)
    planes = tangent_distance.orthonormalize(tangents)
    flat = smooth.reshape(6, -1)
    distances = tangent_distance.compute_distances(flat[0], planes[0], flat[1:], planes[1:], spring)
    for other, distance in enumerate(distances, 1):
        basis = np.concatenate([planes[0], -planes[other]])

        def measure(moves, basis=basis, other=other):
            gap = flat[0] - flat[other] + moves @ basis
            return gap @ gap + spring * moves @ moves

        found = optimize.minimize(measure, np.zeros(14), tol=1e-10)
        assert distance == pytest.approx(found.fun, rel=1e-5)
        if not spring:
            # Without a spring, the distance does not depend on how the planes are spanned.
            raw = np.concatenate([tangents[0], -tangents[other]]).T
            _, rest, *_ = np.linalg.lstsq(raw, flat[other] - flat[0], rcond=None)
            assert distance == pytest.approx(rest[0], rel=1e-8)


@pytest.mark.parametrize(
    ("vector", "move"),
    [
        (0, lambda y, x: (y, x + 0.05)),
        (1, lambda y, x: (y + 0.05, x)),
        (2, lambda y, x: (1.005 * y, 1.005 * x)),
        (3, lambda y, x: (y - 0.005 * x, x + 0.005 * y)),
        (4, lambda y, x: (0.995 * y, 1.005 * x)),
        (5, lambda y, x: (y + 0.005 * x, x + 0.005 * y)),
    ],
)
def test_tangents_point_where_distortions_move_an_image(vector, move):
    """A blob with a known formula, so that moving it needs no interpolation."""
    y, x = np.mgrid[:28, :28] - 13.5

    def draw(y, x):
        return np.exp(-((y - 1) ** 2 + 0.6 * (x + 2) ** 2 + 0.5 * x * y) / 40)

    change = (draw(*move(y, x)) - draw(y, x)).ravel()
    tangent = tangent_distance.compute_tangents(draw(y, x)[None])[0, vector]
    cosine = change @ tangent / (np.linalg.norm(change) * np.linalg.norm(tangent))
    assert cosine > 0.99


def draw_bar(slant):
    """Draw a vertical bar of 3×18 pixels whose lines are shifted by the slant."""
    image = np.zeros((28, 28), np.uint8)
    for row in range(5, 23):
        left = round(12 + slant * (row - 13.5))
        image[row, left : left + 3] = 255
    return image


def test_deslanting_leaves_an_upright_digit():
    upright = draw_bar(0)
    # Its center is half a pixel to the left of the middle, between two pixels.
    assert images.measure_slant(upright) == (13.5, 13.0, 0.0)
    expected = ndimage.shift(upright.astype(float), (0, 0.5), order=1)
    np.testing.assert_allclose(images.deslant(upright), expected, atol=1e-3)
    empty = np.zeros((28, 28), np.uint8)
    np.testing.assert_array_equal(images.deslant(empty), empty)


@pytest.mark.parametrize("slant", [-0.6, -0.3, 0.3, 0.6])
def test_deslanting_straightens_a_sheared_bar(slant):
    sheared = draw_bar(slant)
    assert images.measure_slant(sheared)[2] == pytest.approx(slant, abs=0.03)
    straight = images.deslant(sheared)
    columns = [np.average(np.arange(28), weights=line) for line in straight[6:22]]
    np.testing.assert_allclose(columns, 13.5, atol=0.6)
    assert np.ptp([np.average(np.arange(28), weights=line) for line in sheared[6:22]]) >= 4


def test_deslanting_removes_the_slant_of_digits(sample):
    digits = sample.x_test[:100, :, :, 0]
    before = [abs(images.measure_slant(digit)[2]) for digit in digits]
    after = [abs(images.measure_slant(np.rint(images.deslant(digit)))[2]) for digit in digits]
    assert np.mean(before) > 0.2
    assert max(after) < 0.1


def test_deslanted_and_reduced_images_have_the_papers_sizes(sample):
    digits = sample.x_test[:3, :, :, 0]
    for prepare_images, pixels in ((images.deslant_images, 400), (images.reduce_images, 256)):
        features = prepare_images(digits)
        assert (features.shape, features.dtype) == ((3, pixels), np.float32)
        assert features.min() >= 0 and 0.5 < features.max() <= 1
    # A reduced image has the digit where it was: its center is that of the cropped image.
    reduced = images.reduce_images(digits).reshape(-1, 16, 16)
    for small, digit in zip(reduced, digits[:, 4:24, 4:24], strict=True):
        expected = (np.array(ndimage.center_of_mass(digit)) + 0.5) * 0.8 - 0.5
        np.testing.assert_allclose(ndimage.center_of_mass(small), expected, atol=0.1)


def test_a_reduced_set_of_all_support_vectors_is_the_machine(small):
    """With as many vectors as there are, k-means changes nothing."""
    train, test = (part[:300].astype(np.float32) for part in prepare(small, "svm-poly-4"))
    labels = small.y_train[:300]
    machine = build_svm(5).fit(train, labels)
    reduced = ReducedSetSvm(build_svm(5), len(machine.support_)).fit(train, labels)
    np.testing.assert_array_equal(reduced.predict(test), machine.predict(test))


def test_support_vector_machines_have_the_named_degree():
    machines = {name: METHODS[name].build(0) for name in METHODS if name.startswith("svm")}
    degrees = {
        name: (machine if isinstance(machine, SVC) else machine.machine).degree
        for name, machine in machines.items()
    }
    assert degrees == {"svm-poly-4": 4, "svm-poly-4-deskewed": 4, "svm-reduced-poly-5": 5}


def test_costs_are_those_of_figures_11_and_12(small):
    """Where the method's size does not depend on the training images."""
    expected = {
        "linear": (7_840, 7_850),
        "linear-deskewed": (4_000, 4_010),
        "pairwise-linear": (45 * 784, 45 * 785),
        "knn-deskewed": (1_000 * 400, 1_000 * 400),
        "pca-quadratic": (40 * 784 + 820 + 8_200, 40 * 784 + 8_210),
    }
    for name, cost in expected.items():
        result = run_method(name, small, limit=10)
        assert (result["multiply_adds"], result["memory_values"]) == cost
        assert (result["images"], len(result["predictions"])) == (10, 10)


def test_mistakes_are_named(sample, arrays, monkeypatch):
    with pytest.raises(lenet_tf.LenetError, match="unknown classifier 'kn': did you mean knn"):
        run_method("kn", sample)
    color = np.zeros((20, 32, 32, 3), np.uint8)
    color[:, 0] = 255
    labels = np.arange(20) % 10
    data = lenet_tf.RawData(color, labels, color, labels, name="colors")
    with pytest.raises(lenet_tf.LenetError, match="colors has images of 32×32×3, and the"):
        run_method("knn", data)
    monkeypatch.setattr(optional_packages, "find_spec", lambda name: None)
    with pytest.raises(lenet_tf.LenetError, match=r"run pip install 'lenet_tf\[paper\]'"):
        run_method("knn", sample)


# Measured errors on MNIST's 10,000 test images; the tolerance is that of rounding and versions.
# `lenet-tf reproduce figure9` compares all methods with their records, in half an hour.
@pytest.mark.slow
@pytest.mark.parametrize(("name", "errors"), [("linear-deskewed", 888), ("pca-quadratic", 331)])
def test_errors_on_mnist(originals, name, errors):
    data = lenet_tf.load_data("mnist", originals=originals)
    assert run_method(name, data)["errors"] == pytest.approx(errors, abs=5)
