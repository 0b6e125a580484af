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


_SHOW = """lenetPage.then(({store, content: {examples}}) => {
    const number = examples.labels.indexOf(7);
    const [, height, width, channels] = examples.images.shape, size = height * width * channels;
    const pixels = examples.images.values.slice(number * size, (number + 1) * size);
    store.set({
        image: {height, width, channels, pixels}, language: "en",
        origin: {kind: "example", label: examples.labels[number], number, error: null,
            picture: null, isFinished: true},
    });
    return Array.from(pixels);
})"""
_READ = """lenetPage.then(({store: {state}}) => ({
    changes: state.changes, answer: state.answer, pixels: Array.from(state.changedImage.pixels),
    probabilities: Array.from(state.probabilities), network: state.network.variant,
}))"""


@pytest.fixture
def shown(open_page, preset_page):
    """A page that shows a test image of a 7, and the image (28, 28)."""
    page = open_page(preset_page)
    return page, np.array(page.evaluate(_SHOW), np.uint8).reshape(28, 28)


def _read(page) -> dict:
    state = page.evaluate(_READ)
    state["pixels"] = np.array(state["pixels"]).reshape(28, 28)
    return state


def _predict(name: str, images: np.ndarray, change_weights=lambda weights: weights) -> np.ndarray:
    """Compute probabilities with NumPy, (N, classes)."""
    from dataclasses import replace

    from lenet_tf.data.preprocessing import prepare_images
    from lenet_tf.pretrained.folding import fold
    from lenet_tf.pretrained.locate import read_any
    from lenet_tf.pretrained.numpy_forward import compute_outputs
    from lenet_tf.pretrained.probabilities import to_probabilities

    network = read_any(name)
    network = replace(network, weights=change_weights(dict(network.weights)))
    inputs = prepare_images(images.astype(np.uint8), network.spec.preparation.for_test_images)
    return to_probabilities(network.spec, compute_outputs(fold(network), inputs))


def _check_shares(page, column: int, shares: np.ndarray) -> None:
    """Compare a column of the table of answers: 1 before, 3 after the changes."""
    cells = page.locator(f"#trials-answers tbody tr > :nth-child({column + 1})").all_inner_texts()
    for cell, share in zip(cells, 100 * shares, strict=True):
        if cell == "<0.1%":
            assert share < 0.051
        elif cell == ">99.9%":
            assert share > 99.949
        else:
            assert float(cell.rstrip("%")) == pytest.approx(share, abs=0.051)


def _format(share: float) -> str:
    """Format a probability as the page does, which never shows 0% or 100%."""
    if share >= 0.9995:
        return ">99.9%"
    return "<0.1%" if share < 0.0005 else f"{100 * share:.1f}%"


def test_each_slider_moves_the_image_and_the_answers_follow(shown):
    page, image = shown
    before = _predict("lenet5-1998-mnist", image[None])[0]
    page.locator("#change-down").fill("4")
    page.locator("#change-right").fill("-9")
    state = _read(page)
    expected = np.zeros_like(image)
    expected[4:, :-9] = image[:-4, 9:]
    np.testing.assert_array_equal(state["pixels"], expected)
    after = _predict("lenet5-1998-mnist", expected[None])[0]
    np.testing.assert_allclose(state["probabilities"], after, atol=1e-5)
    _check_shares(page, 1, before)
    _check_shares(page, 3, after)
    assert page.locator("output[for=change-right]").inner_text() == "−9"
    page.locator("#reset-change-right").click()
    page.locator("#change-degrees").fill("-35")
    page.locator("#change-scale").fill("0.6")
    state = _read(page)
    moved = _transform(image[..., None], 4, 0, -35, 0.6)[..., 0]
    assert np.abs(state["pixels"] - moved).max() <= 1
    assert page.locator("output[for=change-degrees]").inner_text() == "−35°"
    page.locator("#reset-changes").click()
    np.testing.assert_array_equal(_read(page)["pixels"], image)
    assert page.locator("#change-scale").input_value() == "1"
    assert page.locator("#reset-changes").is_disabled()


def test_the_verdict_says_when_the_answer_flips(shown):
    page, image = shown
    verdict = page.locator("#trials-verdict")
    before = _predict("lenet5-1998-mnist", image[None])[0]
    assert verdict.inner_text() == f"The answer is 7 ({_format(before[7])})."
    page.locator("#change-degrees").fill("180")
    after = _predict("lenet5-1998-mnist", image[None, ::-1, ::-1])[0]
    answer = int(after.argmax())
    assert answer != 7
    assert verdict.inner_text() == (
        f"The answer flips from 7 ({_format(before[7])}) to {answer} ({_format(after[answer])})."
    )


def test_a_refused_picture_has_no_answer(shown):
    page, _ = shown
    page.evaluate(
        """lenetPage.then(({store}) => store.set({
            origin: {...store.state.origin, kind: "drawn", label: null, error: "several"}}))"""
    )
    assert page.locator("#trials-verdict").inner_text() == ""
    assert page.locator("#trials-empty").inner_text().startswith("There are several digits.")
    assert page.locator("#take-example").is_visible()
    assert set(page.locator("#trials-answers td.number").all_inner_texts()) == {"–"}


def test_each_network_answers_the_changed_picture(shown):
    """Maps are switched off in the chosen network only, but all weights are rounded."""
    page, image = shown
    page.locator("#accuracy").scroll_into_view_if_needed()
    page.locator("#change-degrees").fill("90")
    page.locator("#change-bits").fill("4")
    for index in range(6):
        page.locator(f"#map-C1-{index}").click()
    page.wait_for_timeout(100)

    def round_weights(weights):
        for name, arrays in weights.items():
            if name not in ("C1", "C3", "C5", "F6", "OUTPUT", "S2", "S4") or len(arrays) < 2:
                continue
            step = np.abs(arrays[0]).max() / 7
            rounded = (np.rint(arrays[0] / step) * step).astype(np.float32)
            weights[name] = rounded, *arrays[1:]
        return weights

    turned = np.rot90(image, -1)[None]
    cells = page.locator("#accuracy tbody tr > :nth-child(2)").all_inner_texts()
    answers = [_read(page)["answer"]] + [
        int(_predict(name, turned, round_weights)[0].argmax())
        for name in ("lenet5-mnist", "lenet5-modern-mnist")
    ]
    assert cells == [f"{'✓' if answer == 7 else '✗'} {answer}" for answer in answers]


def test_noise_a_square_and_shuffling(shown):
    page, image = shown
    page.locator("#change-noise").fill("30")
    noisy = _read(page)["pixels"]
    page.locator("#new-noise").click()
    other = _read(page)["pixels"]
    assert np.mean(noisy != other) > 0.3
    page.locator("#reset-change-noise").click()
    for name, value in {"side": 8, "top": 3, "left": 12}.items():
        page.locator(f"#change-{name}").fill(str(value))
    expected = image.copy()
    expected[3:11, 12:20] = 0
    np.testing.assert_array_equal(_read(page)["pixels"], expected)
    page.locator("#reset-change-side").click()
    page.locator("#change-shuffle").check()
    shuffled = _read(page)["pixels"]
    assert sorted(shuffled.ravel()) == sorted(image.ravel())
    assert np.mean(shuffled != image) > 0.1
    page.locator("#change-shuffle").uncheck()
    np.testing.assert_array_equal(_read(page)["pixels"], image)


def test_the_square_is_dragged_on_the_picture(shown):
    page, image = shown
    page.locator("#changed-image").scroll_into_view_if_needed()
    box = page.locator("#changed-image").bounding_box()
    pixel = box["width"] / 28
    page.mouse.move(box["x"] + 6 * pixel, box["y"] + 20 * pixel)
    page.mouse.down()
    page.mouse.move(box["x"] + 14 * pixel, box["y"] + 9 * pixel, steps=3)
    page.mouse.up()
    page.mouse.move(box["x"], box["y"])
    # A press makes a square of a quarter of the side, with its middle under the pointer.
    assert _read(page)["changes"]["occlusion"] == {"top": 6, "left": 11, "side": 7}
    assert page.locator("#change-left").input_value() == "11"
    expected = image.copy()
    expected[6:13, 11:18] = 0
    np.testing.assert_array_equal(_read(page)["pixels"], expected)


def test_weights_are_rounded_and_the_caption_says_how(shown):
    page, image = shown
    assert page.locator("output[for=change-bits]").inner_text() == "32"
    page.locator("#change-bits").fill("3")

    def round_weights(weights):
        for name, (kernel, bias) in weights.items():
            step = np.abs(kernel).max() / 3
            weights[name] = (np.rint(kernel / step) * step).astype(np.float32), bias
        return weights

    expected = _predict("lenet5-1998-mnist", image[None], round_weights)[0]
    np.testing.assert_allclose(_read(page)["probabilities"], expected, atol=1e-5)
    assert "one of 7 evenly spaced" in page.locator("#bits-caption").inner_text()
    page.locator("#reset-change-bits").click()
    assert _read(page)["changes"]["bits"] is None


def test_maps_are_switched_off(shown):
    page, image = shown
    page.locator("#map-C1-2").click()
    page.evaluate(
        "lenetPage.then(({store}) => store.set({selection: {layer: 1, unit: 5 * 6 + 4}}))"
    )
    assert page.locator("#switch-selected").inner_text() == "Switch off C1 4"
    page.locator("#switch-selected").click()
    assert page.locator("#map-C1-4").get_attribute("aria-pressed") == "true"

    def remove_maps(weights):
        kernel, bias = (array.copy() for array in weights["C1"])
        kernel[..., [2, 4]] = bias[[2, 4]] = 0
        return weights | {"C1": (kernel, bias)}

    expected = _predict("lenet5-1998-mnist", image[None], remove_maps)[0]
    np.testing.assert_allclose(_read(page)["probabilities"], expected, atol=1e-5)
    # Another network has other maps; the first one's stay switched off.
    choose = "index => lenetPage.then(({store}) => store.set({network: store.networks[index]}))"
    page.evaluate(choose, 1)
    assert _read(page)["changes"]["disabled"] == {}
    page.evaluate(choose, 0)
    assert _read(page)["changes"]["disabled"] == {"C1": [2, 4]}
    page.locator("#map-C1-2").press("ArrowRight")
    page.keyboard.press("Enter")
    assert _read(page)["changes"]["disabled"] == {"C1": [2, 3, 4]}
    page.locator("#reset-maps").click()
    assert _read(page)["changes"]["disabled"] == {}


def test_units_of_dense_layers_are_switched_off(shown):
    page, image = shown
    page.locator("#maps-F6 summary").click()
    page.locator("#map-F6-83").click()
    assert page.locator("#maps-F6 summary").inner_text() == "F6: 84 units 1 off"

    def remove_unit(weights):
        kernel, bias = (array.copy() for array in weights["F6"])
        kernel[:, 83] = bias[83] = 0
        return weights | {"F6": (kernel, bias)}

    expected = _predict("lenet5-1998-mnist", image[None], remove_unit)[0]
    np.testing.assert_allclose(_read(page)["probabilities"], expected, atol=1e-5)


@pytest.mark.slow
def test_correct_answers_under_a_change_are_counted(shown):
    page, _ = shown
    images, labels = page.evaluate(
        """lenetPage.then(({content: {examples: {images, labels}}}) =>
            [Array.from(images.values), labels])"""
    )
    images = np.array(images, np.uint8).reshape(-1, 28, 28)
    shifted = np.zeros_like(images)
    shifted[..., 5:] = images[..., :-5]
    page.locator("#accuracy").scroll_into_view_if_needed()
    page.locator("#change-right").fill("5")
    page.wait_for_timeout(200)
    page.wait_for_selector("#accuracy:not([aria-busy])", timeout=60_000)
    for row, name in enumerate(("lenet5-1998-mnist", "lenet5-mnist", "lenet5-modern-mnist")):
        counted = page.locator(f"#accuracy tbody tr:nth-child({row + 1}) td").all_inner_texts()[1:]
        expected = [
            np.sum(_predict(name, pictures).argmax(axis=1) == labels)
            for pictures in (images, shifted)
        ]
        assert [int(count) for count in counted] == expected
    # What is counted stays when one scrolls away and comes back.
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(200)
    page.locator("#accuracy").scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    assert page.locator("#accuracy .is-old").count() == 0
    page.locator("#reset-changes").click()
    page.wait_for_selector("#accuracy[aria-busy]", state="attached")


def test_saliency_of_a_chosen_class(shown):
    page, _ = shown
    page.locator("#saliency-classes button", has_text="2").click()
    page.evaluate("new Promise(requestAnimationFrame)")
    at, value, total = page.evaluate(
        """Promise.all([lenetPage, import("#page/network/saliency.js")]).then(
            ([{store: {state}}, {computeSaliency}]) => {
                const gradient = Array.from(computeSaliency(state.network, state.outputs, 2));
                const sizes = gradient.map(Math.abs), at = sizes.indexOf(Math.max(...sizes));
                return [at, gradient[at], gradient.length];
            })"""
    )
    assert total == 32 * 32
    text = page.locator("#saliency-strongest").inner_text()
    shown_value = float(f"{value:.3g}")
    assert text == (
        f"Strongest slope: {shown_value:g}, at row {at // 32}, column {at % 32}."
    ).replace("-", "−")
    canvas = page.locator("#saliency-map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 10.5 / 32 * box["width"], box["y"] + 3.5 / 32 * box["height"])
    assert page.locator("#saliency-strongest").inner_text().startswith("Slope at row 3, column 10:")


def test_a_page_without_test_images_counts_none(open_page, tmp_path):
    from lenet_tf.inference.page.example_images import make_no_examples
    from lenet_tf.inference.page.page_builder import collect_page_data, render_page
    from lenet_tf.inference.page.page_networks import find_networks

    networks = find_networks(["lenet5-mnist"])
    data = collect_page_data(networks, make_no_examples((28, 28, 1)), pytest.fail)
    path = tmp_path / "index.html"
    path.write_text(render_page(data, "LeNet-5"), "utf-8")
    page = open_page(path)
    assert page.locator("#trials-accuracy").count() == 0
    assert page.locator("#take-example").is_hidden()
    assert page.locator("#trials-empty").inner_text().startswith("Nothing is drawn yet")
    assert set(page.locator("#trials-answers td.number").all_inner_texts()) == {"–"}
