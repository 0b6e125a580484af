"""Changes that break images and networks, and "Break it" of the page."""

from __future__ import annotations

import numpy as np
import pytest
from node import run_script
from scipy import ndimage

_APPLY = """
    import {applyChanges, NO_CHANGES} from "#page/changes/changes.js";
    const [images, changes] = argument;
    answer(images.map(({pixels, ...shape}) => Array.from(applyChanges(
      {...shape, pixels: Uint8Array.from(pixels)}, {...NO_CHANGES, ...changes},
    ).pixels)));
"""


def _apply(images: np.ndarray, **changes) -> np.ndarray:
    """Apply changes to images (N, height, width, channels)."""
    _, height, width, channels = images.shape
    shape = {"height": height, "width": width, "channels": channels}
    pictures = [{**shape, "pixels": image.ravel().tolist()} for image in images]
    return np.array(run_script(_APPLY, [pictures, changes])).reshape(images.shape)


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(5)
    smooth = ndimage.gaussian_filter(random.normal(size=(8, 28, 28, 1)), (0, 2, 2, 0))
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def _transform(image: np.ndarray, down, right, degrees, scale) -> np.ndarray:
    """Turn clockwise, scale and shift (height, width, channels) with SciPy."""
    angle = np.deg2rad(degrees)
    # Rows go down, so that this turns clockwise on the screen.
    forward = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    center = (np.array(image.shape[:2]) - 1) / 2
    inverse = np.linalg.inv(forward)
    offset = center - inverse @ (center + np.array([down, right]))
    planes = [
        ndimage.affine_transform(
            image[..., channel].astype(float), inverse, offset, order=1, mode="grid-constant"
        )
        for channel in range(image.shape[-1])
    ]
    return np.stack(planes, axis=-1)


@pytest.mark.parametrize(
    ("down", "right", "degrees", "scale"),
    [(3, -5, 0, 1), (0, 0, 30, 1), (0, 0, -90, 1), (0, 0, 0, 0.55), (2, 1, 137, 1.35)],
)
def test_images_are_moved_as_by_scipy(images, down, right, degrees, scale):
    moved = _apply(images, down=down, right=right, degrees=degrees, scale=scale)
    expected = [_transform(image, down, right, degrees, scale) for image in images]
    assert np.abs(moved - expected).max() <= 1


def test_colored_images_that_are_not_square_are_moved_as_by_scipy():
    image = np.random.default_rng(2).integers(0, 256, (1, 20, 30, 3), dtype=np.uint8)
    moved = _apply(image, down=2, right=-3, degrees=25, scale=1.2)
    assert np.abs(moved - _transform(image[0], 2, -3, 25, 1.2)).max() <= 1


def test_a_quarter_turn_is_clockwise(images):
    turned = _apply(images, degrees=90)
    np.testing.assert_array_equal(turned, np.rot90(images, -1, axes=(1, 2)))


def test_an_unchanged_image_is_the_same_object():
    assert run_script(
        """
        import {applyChanges, hasChanges, NO_CHANGES} from "#page/changes/changes.js";
        const image = {height: 2, width: 2, channels: 1, pixels: new Uint8Array(4)};
        const changes = {...NO_CHANGES, degrees: 360, bits: 4, disabled: {C1: [1]},
          occlusion: {top: 0, left: 0, side: 0}};
        answer([applyChanges(image, NO_CHANGES) === image, applyChanges(image, changes) === image,
          hasChanges(NO_CHANGES), hasChanges({...NO_CHANGES, disabled: {C1: []}}),
          hasChanges({...NO_CHANGES, disabled: {C1: [0]}})]);
        """
    ) == [True, True, False, False, True]


def test_noise_has_the_chosen_deviation_and_its_seed_repeats_it():
    gray = np.full((1, 100, 100, 1), 128, np.uint8)
    noise = _apply(gray, noise=20, noiseSeed=3) - 128.0
    assert abs(noise.mean()) < 0.6
    assert noise.std() == pytest.approx(20, abs=0.5)
    # A normal distribution has 68.3% of its values within one deviation.
    assert np.mean(np.abs(noise) < 20.5) == pytest.approx(0.695, abs=0.015)
    np.testing.assert_array_equal(_apply(gray, noise=20, noiseSeed=3) - 128.0, noise)
    assert np.mean(_apply(gray, noise=20, noiseSeed=4) - 128.0 != noise) > 0.9


def test_noise_is_clipped():
    noisy = _apply(np.zeros((1, 30, 30, 1), np.uint8), noise=60)
    assert np.mean(noisy == 0) == pytest.approx(0.5, abs=0.06)
    assert noisy.max() <= 255


def test_pixels_are_shuffled_the_same_way_with_their_channels():
    numbered = np.arange(36).reshape(1, 6, 6, 1).astype(np.uint8)
    order = _apply(numbered, shuffle=True).ravel()
    assert sorted(order) == list(range(36))
    assert np.mean(order == np.arange(36)) < 0.2
    colored = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 3), dtype=np.uint8)
    shuffled = _apply(colored, shuffle=True).reshape(2, 36, 3)
    np.testing.assert_array_equal(shuffled, colored.reshape(2, 36, 3)[:, order])


def test_a_square_is_covered_as_far_as_it_lies_in_the_image(images):
    expected = images.copy()
    expected[:, 20:, 22:] = 0
    changed = _apply(images, occlusion={"top": 20, "left": 22, "side": 9})
    np.testing.assert_array_equal(changed, expected)


_ROUND = """
    import {roundWeights} from "#page/changes/weights.js";
    const [weights, bits] = argument;
    answer(Array.from(roundWeights(Float32Array.from(weights), bits)));
"""


@pytest.mark.parametrize("bits", [1, 2, 3, 8, 16])
def test_weights_are_rounded_as_by_numpy(bits):
    weights = np.random.default_rng(bits).normal(size=500).astype(np.float32)
    if bits == 1:
        expected = np.sign(weights) * np.abs(weights).mean()
    else:
        step = np.abs(weights).max() / (2 ** (bits - 1) - 1)
        expected = np.rint(weights / step) * step
    rounded = np.array(run_script(_ROUND, [weights.tolist(), bits]))
    np.testing.assert_allclose(rounded, expected, rtol=1e-6, atol=1e-7)
    assert len(np.unique(rounded)) <= 2**bits


def test_biases_stay_and_rounded_networks_are_kept():
    kept = run_script(
        """
        import {applyWeightChanges} from "#page/changes/weights.js";
        const array = (...values) => ({shape: [values.length], values: Float32Array.from(values)});
        const kinds = ["convolution", "batch_normalization", "dense", "subsampling"];
        const network = {layers: kinds.map((kind) =>
          ({kind, weights: [array(1, -0.4, 0.2), array(0.3, 0.1)]}))};
        const rounded = applyWeightChanges(network, {bits: 2});
        answer([rounded.layers.map(({weights}) => weights.map(({values}) => Array.from(values))),
          applyWeightChanges(network, {bits: 2}) === rounded,
          applyWeightChanges(network, {bits: 3}) === rounded,
          applyWeightChanges(network, {bits: null}) === network]);
        """
    )
    assert kept[1:] == [True, False, True]
    for weights, bias in np.array(kept[0], dtype=object):
        assert bias == pytest.approx([0.3, 0.1])
        assert weights in ([1, 0, 0], pytest.approx([1, -0.4, 0.2]))
    assert [layer[0] == [1, 0, 0] for layer in kept[0]] == [True, False, True, True]
