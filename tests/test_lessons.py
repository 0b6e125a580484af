"""The pictures of the notebooks: what each shows is where it belongs. Whether they are handsome, the notebooks' outputs show."""

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


def test_the_window_slides_over_every_place():
    found = lessons.animate_convolution(np.eye(5), np.ones((3, 3)), stride=2)
    with Image.open(io.BytesIO(found)) as image:
        # The picture of viewers that do not animate, and one for each of 2×2 windows.
        assert image.is_animated and image.n_frames == 5
        frames = []
        for number in range(image.n_frames):
            image.seek(number)
            frames.append(np.asarray(image.convert("L")))
    assert len({frame.tobytes() for frame in frames}) == 4 and np.array_equal(frames[0], frames[-1])


@pytest.mark.parametrize(
    "values", [np.full((5, 5), -0.71), np.full((28, 28), 255), np.array([[-1234.56, 2.0]])]
)
def test_numbers_fit_their_squares(values):
    figure = lessons.plot_pixel_values({"numbers": values})
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    square = axes.get_window_extent().width / values.shape[1]
    assert max(text.get_window_extent().width for text in axes.texts) < square


def test_curves_over_whole_numbers_have_whole_ticks():
    figure = lessons.plot_curves(
        [0, 1, 2, 3], {"a": [1, 2, 3, 4], "b": [4, 3, 2, 1]}, "pixels", "accuracy"
    )
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]


def test_a_gallery_shows_every_image_under_its_name():
    images = {f"image {number}": np.full((4, 4), number) for number in range(5)} | {
        "color": np.full((4, 4, 3), 0.5)
    }
    figure = lessons.plot_images(images, columns=4)
    shown = {axes.get_title(): axes.images[0].get_array() for axes in figure.axes if axes.images}
    assert list(shown) == list(images)
    assert all((shown[name] == images[name]).all() for name in list(images)[:5]) and shown[
        "color"
    ].shape == (4, 4, 3)


def test_each_channel_stands_alone_in_its_color():
    image = np.random.default_rng(0).integers(1, 256, (6, 5, 3), dtype=np.uint8)
    whole, *channels = [
        np.asarray(axes.images[0].get_array()) for axes in lessons.plot_channels(image).axes
    ]
    assert np.array_equal(whole, image)
    assert np.array_equal(sum(channel.astype(int) for channel in channels), image), (
        "together they are the image again"
    )
    assert [list(np.flatnonzero(channel.any(axis=(0, 1)))) for channel in channels] == [
        [RED],
        [GREEN],
        [BLUE],
    ]


def test_a_frame_is_as_large_as_what_a_unit_sees():
    """Measured by which pixels change the unit in the middle of a layer."""
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
        reached = _pixels_seen(model, layer)
        assert (frame.get_height(), frame.get_width()) == reached.shape, layer
        middle = frame.get_x() + frame.get_width() / 2, frame.get_y() + frame.get_height() / 2
        assert middle == pytest.approx((13.5, 13.5))


def _pixels_seen(model: lenet_tf.LeNet, layer: str) -> np.ndarray:
    """The smallest rectangle of pixels around all that move a unit in the middle of the layer."""
    import tensorflow as tf

    image = tf.random.stateless_uniform((1, 28, 28, 1), seed=(0, 0))
    with tf.GradientTape() as tape:
        tape.watch(image)
        outputs = image
        for one in model.layers:
            outputs = one(outputs)
            if one.name == layer:
                break
        unit = outputs[0, outputs.shape[1] // 2, outputs.shape[2] // 2, 0]
    moved = tape.gradient(unit, image).numpy()[0, :, :, 0] != 0
    rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
    return moved[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_an_embedding_puts_each_digit_at_its_point_in_the_color_of_its_class():
    points, labels = np.array([[0.0, 0.0], [10.0, 5.0], [-3.0, 8.0]]), np.array([0, 1, 0])
    images = np.zeros((3, 8, 8), np.uint8)
    images[:, 2:6, 2:6] = 255
    (axes,) = lessons.plot_embedding(points, labels, images, "where they are").axes
    middles = [
        (np.mean(image.get_extent()[:2]), np.mean(image.get_extent()[2:])) for image in axes.images
    ]
    assert np.allclose(middles, points) and axes.get_title() == "where they are"
    inks = [np.asarray(image.get_array())[4, 4] for image in axes.images]
    assert np.array_equal(inks[0], inks[2]) and not np.array_equal(inks[0], inks[1])
    corner = np.asarray(axes.images[0].get_array())[0, 0]
    assert inks[0][3] == 1 and corner[3] == 0, (
        "paper is transparent: digits may lie over each other"
    )
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert low < -3 and high > 10 and bottom < 0 and top > 8


@pytest.mark.parametrize("frame", [0, 2])
def test_pixels_for_and_against_an_answer_differ_in_color(frame):
    """Also where the network saw a padded image: its frame is cut off, so that both pictures match pixel by pixel."""
    gradients = np.zeros((1, 6 + 2 * frame, 6 + 2 * frame, 1), np.float32)
    gradients[0, frame, frame], gradients[0, frame + 5, frame + 5] = 1, -1
    figure = lessons.plot_saliency(np.zeros((1, 6, 6), np.uint8), gradients, ["7, sure"])
    upper, lower = figure.axes
    drawn = lower.images[0]
    assert upper.get_title() == "7, sure" and drawn.get_array().shape == upper.images[
        0
    ].get_array().shape == (6, 6)
    for_it, against, nothing = (
        to_rgb(drawn.to_rgba(drawn.get_array())[place]) for place in ((0, 0), (5, 5), (3, 3))
    )
    assert (
        for_it[RED] > for_it[BLUE]
        and against[BLUE] > against[GREEN]
        and nothing == pytest.approx((0.97,) * 3, abs=0.02)
    )
