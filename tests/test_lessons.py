"""Tests of the course's figures: every element is where it belongs."""

from __future__ import annotations

import io

import lessons
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image

import lenet_tf

RED, GREEN, BLUE = range(3)


def test_animation_has_one_frame_per_window():
    encoded = lessons.animate_convolution(np.eye(5), np.ones((3, 3)), stride=2)
    with Image.open(io.BytesIO(encoded)) as image:
        # One still picture and one frame for each of the 2×2 windows.
        assert image.is_animated and image.n_frames == 5
        frames = []
        for number in range(image.n_frames):
            image.seek(number)
            frames.append(np.asarray(image.convert("L")))
    assert len({frame.tobytes() for frame in frames}) == 4 and np.array_equal(frames[0], frames[-1])


@pytest.mark.parametrize(
    "values", [np.full((5, 5), -0.71), np.full((28, 28), 255), np.array([[-1234.56, 2.0]])]
)
def test_pixel_values_fit_their_squares(values):
    figure = lessons.plot_pixel_values({"numbers": values})
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    square = axes.get_window_extent().width / values.shape[1]
    assert max(text.get_window_extent().width for text in axes.texts) < square


def test_integer_positions_have_integer_ticks():
    figure = lessons.plot_curves(
        [0, 1, 2, 3], {"a": [1, 2, 3, 4], "b": [4, 3, 2, 1]}, "pixels", "accuracy"
    )
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]


def test_plot_images_titles_every_image():
    images = {f"image {number}": np.full((4, 4), number) for number in range(5)} | {
        "color": np.full((4, 4, 3), 0.5)
    }
    figure = lessons.plot_images(images, columns=4)
    shown = {axes.get_title(): axes.images[0].get_array() for axes in figure.axes if axes.images}
    assert list(shown) == list(images)
    assert all((shown[name] == images[name]).all() for name in list(images)[:5]) and shown[
        "color"
    ].shape == (4, 4, 3)


def test_plot_channels_separates_the_colors():
    image = np.random.default_rng(0).integers(1, 256, (6, 5, 3), dtype=np.uint8)
    original, *channels = [
        np.asarray(axes.images[0].get_array()) for axes in lessons.plot_channels(image).axes
    ]
    assert np.array_equal(original, image)
    assert np.array_equal(sum(channel.astype(int) for channel in channels), image), (
        "the channels add up to the image"
    )
    assert [list(np.flatnonzero(channel.any(axis=(0, 1)))) for channel in channels] == [
        [RED],
        [GREEN],
        [BLUE],
    ]


def test_receptive_field_frame_matches_the_gradient():
    """The frame encloses the pixels that change the central unit of a layer."""
    model = lenet_tf.LeNet("lenet5", seed=0)
    image = np.zeros((28, 28, 1), np.float32)
    figure = lessons.plot_receptive_fields(model.spec, image)
    assert [axes.get_title() for axes in figure.axes] == [
        "C1: 5×5",
        "S2: 6×6",
        "C3: 14×14",
        "S4: 16×16",
    ]
    for axes, layer in zip(figure.axes, ("C1", "S2", "C3", "S4"), strict=True):
        (frame,) = axes.patches
        influence = _find_influential_pixels(model, layer)
        assert (frame.get_height(), frame.get_width()) == influence.shape, layer
        center = frame.get_x() + frame.get_width() / 2, frame.get_y() + frame.get_height() / 2
        assert center == pytest.approx((13.5, 13.5))


def _find_influential_pixels(model: lenet_tf.LeNet, layer: str) -> np.ndarray:
    """Return the smallest rectangle of pixels that change the central unit of a layer."""
    import tensorflow as tf

    image = tf.random.stateless_uniform((1, 28, 28, 1), seed=(0, 0))
    with tf.GradientTape() as tape:
        tape.watch(image)
        outputs = image
        for sublayer in model.layers:
            outputs = sublayer(outputs)
            if sublayer.name == layer:
                break
        unit = outputs[0, outputs.shape[1] // 2, outputs.shape[2] // 2, 0]
    is_influential = tape.gradient(unit, image).numpy()[0, :, :, 0] != 0
    rows, columns = (np.flatnonzero(is_influential.any(axis=axis)) for axis in (1, 0))
    return is_influential[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_plot_embedding_places_and_colors_every_digit():
    points, labels = np.array([[0.0, 0.0], [10.0, 5.0], [-3.0, 8.0]]), np.array([0, 1, 0])
    images = np.zeros((3, 8, 8), np.uint8)
    images[:, 2:6, 2:6] = 255
    (axes,) = lessons.plot_embedding(points, labels, images, "title").axes
    centers = [
        (np.mean(image.get_extent()[:2]), np.mean(image.get_extent()[2:])) for image in axes.images
    ]
    assert np.allclose(centers, points) and axes.get_title() == "title"
    inks = [np.asarray(image.get_array())[4, 4] for image in axes.images]
    assert np.array_equal(inks[0], inks[2]) and not np.array_equal(inks[0], inks[1])
    corner = np.asarray(axes.images[0].get_array())[0, 0]
    assert inks[0][3] == 1 and corner[3] == 0, "paper is transparent so that digits may overlap"
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert low < -3 and high > 10 and bottom < 0 and top > 8


@pytest.mark.parametrize("padding", [0, 2])
def test_saliency_colors_support_and_opposition(padding):
    """A padded network's gradients are cropped to the image."""
    gradients = np.zeros((1, 6 + 2 * padding, 6 + 2 * padding, 1), np.float32)
    gradients[0, padding, padding], gradients[0, padding + 5, padding + 5] = 1, -1
    figure = lessons.plot_saliency(np.zeros((1, 6, 6), np.uint8), gradients, ["7"])
    upper, lower = figure.axes
    heat_map = lower.images[0]
    assert upper.get_title() == "7" and heat_map.get_array().shape == upper.images[
        0
    ].get_array().shape == (6, 6)
    support, opposition, neutral = (
        to_rgb(heat_map.to_rgba(heat_map.get_array())[pixel]) for pixel in ((0, 0), (5, 5), (3, 3))
    )
    assert (
        support[RED] > support[BLUE]
        and opposition[BLUE] > opposition[GREEN]
        and neutral == pytest.approx((0.97,) * 3, abs=0.02)
    )
