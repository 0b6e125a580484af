"""Predictions for pictures: files, PIL images and arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lenet_tf.data.read_options import ReadOptions
from lenet_tf.errors import DataError
from lenet_tf.inference.classifier import Classifier, open_classifier
from lenet_tf.inference.memory_pictures import (
    convert_array,
    find_raw_images,
    is_picture_list,
    to_pillow,
)
from lenet_tf.inference.picture_inputs import (
    PictureInput,
    ReadPicture,
    choose_picture_input,
    find_raw_shape,
)
from lenet_tf.inference.picture_search import find_pictures
from lenet_tf.inference.prediction import Prediction, add_digits, add_probabilities
from lenet_tf.inference.prepared_digit import SIZE
from lenet_tf.inference.rejection import load_rejector
from lenet_tf.io.paths import to_path
from lenet_tf.io.pictures import hide_decoder_warnings
from lenet_tf.pretrained.presets import DEFAULT_PRESET
from lenet_tf.text import escape_controls

# A figure of more pictures would take minutes and gigabytes.
MAX_PICTURES = 120
# Images that are classified together, their bytes, and threads that read pictures.
_CHUNK, _CHUNK_BYTES, _MAX_READERS = 500, 64 << 20, 4
# Bytes of raw images in memory that are classified together; prepared ones take four times as many.
_RAW_BYTES = 8 << 20


def predict(
    pictures: Any, model: Any = DEFAULT_PRESET, *, prepare: str | None = None, values: Any = None
) -> Prediction | list[Prediction]:
    """Recognize the digit in a picture, or the class that another network knows.

    The network comes with this package, and TensorFlow is not loaded. Each picture is prepared as
    MNIST's digits are, whatever its size, color and polarity; one that is like them already stays
    as it is.

    Args:
        pictures: One of

            - the path of a picture, or a list of paths; a folder means the pictures in it;
            - what yields paths, such as `Path("scans").glob("*.png")`;
            - a PIL image, or a list of them;
            - an array of one picture, (height, width), (height, width, 1), (height, width, 3) or
              (height, width, 4), of any size; or a list of such arrays;
            - an array of N pictures, (N, height, width) or (N, height, width, channels). If their
              shape is that of the images that the network was trained on, such as MNIST's
              (N, 28, 28) or (N, 28, 28, 1), they are taken as such images, without preparation.

            Arrays hold whole numbers of 0…255. Floats of 0…1 or 0…255 and booleans are converted
            with a warning.
        model: The name of a preset (`lenet_tf.list_presets`), a run or its folder, a `.keras` file,
            a folder for model hubs, or a `LeNet`.
        prepare: `digit` prepares a picture as MNIST's digits are, `picture` crops it to the middle
            and resizes it. None: `picture` for a network that was trained on pictures from files,
            on colors or on Fashion-MNIST.
        values: The values that stand for black and white in arrays, as in `load_data`.

    Returns:
        A `Prediction`, or a list of them for several pictures. In a list, the `error` of a picture
        without a prediction says why. Where `is_digit` is False, the picture shows something else
        than a digit, and `label` is what it looks most like.

    Raises:
        DataError: If the only picture has no prediction, or the network doesn't take such images.
        RunError: If there is no such network, or it is damaged.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> prediction = lenet_tf.predict(data.x_test[0])
        >>> prediction.label == int(data.y_test[0]), prediction.probability > 0.9
        (True, True)
        >>> [each.label for each in lenet_tf.predict(data.x_test[:3])] == data.y_test[:3].tolist()
        True
    """
    classifier = open_classifier(model)
    wanted = choose_picture_input(classifier.spec, classifier.data, prepare)
    if isinstance(pictures, str | os.PathLike):
        path = to_path(pictures, DataError, "a picture")
        if path.is_dir():
            return predict_pictures(classifier, find_pictures([path]), picture_input=wanted)
        return _get_only(predict_pictures(classifier, [path], picture_input=wanted))
    if isinstance(pictures, Image.Image):
        return _get_only(predict_pictures(classifier, [pictures], picture_input=wanted))
    options = ReadOptions(values=values)
    # Such as Path("scans").glob("*.png").
    pictures = list(pictures) if isinstance(pictures, Iterator) else pictures
    if is_picture_list(pictures):
        return predict_pictures(
            classifier, [_to_item(each, options) for each in pictures], picture_input=wanted
        )
    images, is_one = convert_array(pictures, options)
    raw = find_raw_images(images, find_raw_shape(classifier.spec, classifier.data))
    if raw is not None and not is_one and prepare is None:
        return _predict_raw(classifier, raw)
    found = predict_pictures(classifier, [*map(to_pillow, images)], picture_input=wanted)
    return _get_only(found) if is_one else found


def predict_pictures(
    model: Any,
    pictures: Sequence[Path | Image.Image],
    keep_pictures: int = 0,
    picture_input: PictureInput | None = None,
) -> list[Prediction]:
    """Predict the class of each picture.

    Args:
        model: A network, see `open_classifier`.
        pictures: Picture files, and pictures in memory.
        keep_pictures: How many predictions keep their picture, for a figure: the first ones.
        picture_input: What each picture becomes. None: a digit image like those of MNIST.

    Returns:
        A prediction or an error for each picture, in the same order.

    Raises:
        DataError: If the network does not accept such images.
        RunError: If its outputs are NaN or infinite.
    """
    classifier = open_classifier(model)
    wanted = replace(picture_input or PictureInput(), classify=classifier.classify)
    chunk = max(1, min(_CHUNK, _CHUNK_BYTES // wanted.image_bytes))
    predictions: list[Prediction] = []
    pool = ThreadPoolExecutor(min(_MAX_READERS, os.cpu_count() or 1))
    with pool, hide_decoder_warnings():
        for start in range(0, len(pictures), chunk):
            read = []
            for result in _read(wanted, pool, pictures[start : start + chunk], keep_pictures):
                # Attack: thousands of small files that unpack to large pictures.
                keeps_picture = result.picture is not None and keep_pictures > 0
                keep_pictures -= keeps_picture
                read.append(_to_prediction(result, keeps_picture))
            predictions += _classify(classifier, read)
    return predictions


def _to_item(value: Any, options: ReadOptions) -> Path | Image.Image:
    """Return an item of a user's list as a path or a PIL image."""
    if isinstance(value, Image.Image):
        return value
    if isinstance(value, str | os.PathLike):
        return to_path(value, DataError, "a picture")
    images, is_one = convert_array(value, options)
    if not is_one:
        raise DataError("a list must hold single pictures: pass several as one array")
    return to_pillow(images[0])


def _get_only(predictions: Sequence[Prediction]) -> Prediction:
    (prediction,) = predictions
    if prediction.error is not None:
        raise DataError(prediction.error)
    return prediction


def _predict_raw(classifier: Classifier, images: np.ndarray) -> list[Prediction]:
    """Predict images of the shape that the network was trained on, a part at a time."""
    step = max(1, _RAW_BYTES // images[0].nbytes)
    predictions: list[Prediction] = []
    for start in range(0, len(images), step):
        predictions += _classify(
            classifier, [Prediction(image=image) for image in images[start : start + step]]
        )
    return predictions


def _read(
    wanted: PictureInput,
    pool: Executor,
    pictures: Sequence[Path | Image.Image],
    keep_pictures: int,
) -> Iterator[ReadPicture]:
    files = [each for each in pictures if isinstance(each, Path)]
    read_files = wanted.read(pool, files, keep_pictures)
    for each in pictures:
        yield next(read_files) if isinstance(each, Path) else wanted.convert(each)


def _to_prediction(read: ReadPicture, keeps_picture: bool) -> Prediction:
    """Return what was read; the prediction itself is still missing."""
    if read.error is not None:
        error = read.error
        if read.file is not None:
            name = escape_controls(read.file)
            error = error if name in error else f"{name}: {error}"
        return Prediction(file=read.file, error=error)
    digits = tuple(
        Prediction(image=each.image, box=(each.top, each.left, each.height, each.width))
        for each in read.digits
    )
    picture = read.picture if keeps_picture else None
    return Prediction(
        file=read.file, image=read.image, picture=picture, digits=digits, size=read.size
    )


def _classify(classifier: Classifier, pictures: Sequence[Prediction]) -> list[Prediction]:
    """Complete the predictions that have an image or digits."""
    shown = [
        (single, max(1, len(each.digits)))
        for each in pictures
        for single in each.digits or (each,)
        if single.image is not None
    ]
    images = [single.image for single, _ in shown if single.image is not None]
    if not images:
        return list(pictures)
    stack = np.stack(images)
    probabilities = classifier.classify(stack)
    are_digits: list[bool] = []
    if classifier.rejects and stack.shape[1:3] == (SIZE, SIZE):
        counts = np.array([count for _, count in shown])
        # A weak network that takes a 7 for a 1 doesn't make it less of a digit.
        labels = probabilities.argmax(axis=1) if classifier.is_preset else None
        are_digits = load_rejector().is_digit(stack, labels, counts).tolist()
    singles, names = [single for single, _ in shown], classifier.class_names
    complete = iter(add_probabilities(singles, probabilities, names, are_digits))
    return [
        add_digits(each, [next(complete) for _ in each.digits])
        if each.digits
        else (each if each.image is None else next(complete))
        for each in pictures
    ]
