"""Make the network that tells digits from other things anew, and choose its threshold.

Example:
    $ python -m lenet_tf.reproduce.make_detector --originals originals --logs logs
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources import load_data
from lenet_tf.errors import DataError, LenetError
from lenet_tf.inference import rejection
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.rejection import NOT_A_DIGIT, DetectorFacts, Rejector
from lenet_tf.io.atomic import atomic_write, write_text
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.reading import read_network
from lenet_tf.pretrained.writing import build_archive
from lenet_tf.reproduce import made_up_pictures as made_up
from lenet_tf.runs.run_folder import Run
from lenet_tf.text import format_json

VARIANT, RECIPE, EPOCHS, BATCH_SIZE = "lenet5-modern", "accurate", 18, 128
# Digits of MNIST that neither train nor test: the threshold is chosen on them.
HELD_BACK = 5000
# Pictures with more digits have the threshold of so many: 5,000 digits don't tell rarer scores.
MAX_DIGITS = 20
# The share of the digits that were held back that may be refused.
TARGET = 0.015
# How many pictures of each kind train, before those that the preparation refuses.
COUNTS = {
    "letters": 8000,
    "signs": 4000,
    "strokes": 3000,
    "blobs": 1000,
    "typeset digits": 2500,
    "enlarged digits": 4500,
    "turned digits": 14000,
    "overlaid digits": 6000,
}


def split_digits(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split indices of training digits.

    Returns:
        Those that train, and those that are held back for the threshold, both sorted.
    """
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[HELD_BACK:]), np.sort(order[:HELD_BACK])


def make_pictures(
    images: np.ndarray, labels: np.ndarray, seed: int, share: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Make the pictures that train the network beside MNIST's digits.

    Args:
        images: Digits of MNIST, uint8 (N, 28, 28), that turned and enlarged digits are made of.
        labels: Their labels.
        seed: Chooses everything.
        share: The share of `COUNTS` to make.

    Returns:
        Prepared images, uint8 (M, 28, 28), and labels, with `NOT_A_DIGIT` for other things.
    """
    random = np.random.default_rng(seed)
    made: list[np.ndarray] = []
    classes: list[int] = []
    for kind, draw in _list_kinds(random, images, labels).items():
        for _ in range(round(share * COUNTS[kind])):
            image, label = draw()
            if image is not None:
                made.append(image)
                classes.append(label)
    return np.stack(made), np.array(classes)


_Drawing = tuple[np.ndarray | None, int]


def _list_kinds(
    random: np.random.Generator, images: np.ndarray, labels: np.ndarray
) -> dict[str, Callable[[], _Drawing]]:
    """Return a function that makes a picture of each kind of `COUNTS`."""

    def prepare(ink: np.ndarray) -> np.ndarray | None:
        try:
            return as_digit(made_up.to_picture(random, ink))
        except DataError:
            return None

    def typeset_digit() -> _Drawing:
        digit = int(random.integers(10))
        return prepare(made_up.draw_character(random, str(digit))), digit

    def enlarged_digit() -> _Drawing:
        index = random.integers(len(images))
        return prepare(made_up.enlarge_digit(random, images[index])), int(labels[index])

    def turned_digit() -> _Drawing:
        index = random.choice(turnable)
        return made_up.turn_digit(random, images[index], int(labels[index])), NOT_A_DIGIT

    def overlaid_digits() -> _Drawing:
        first, second = images[random.integers(len(images), size=2)]
        return made_up.overlay_digits(random, first, second), NOT_A_DIGIT

    turnable = np.flatnonzero(labels)
    letters, signs, fonts = made_up.LETTERS, made_up.SIGNS, made_up.SIGN_FONTS
    return {
        "letters": lambda: (prepare(made_up.draw_character(random, letters)), NOT_A_DIGIT),
        "signs": lambda: (prepare(made_up.draw_character(random, signs, fonts)), NOT_A_DIGIT),
        "strokes": lambda: (prepare(made_up.draw_strokes(random)), NOT_A_DIGIT),
        "blobs": lambda: (prepare(made_up.draw_blobs(random)), NOT_A_DIGIT),
        "typeset digits": typeset_digit,
        "enlarged digits": enlarged_digit,
        "turned digits": turned_digit,
        "overlaid digits": overlaid_digits,
    }


def make_detector(originals: str | None, logs: Path, seed: int, epochs: int) -> DetectorFacts:
    """Train the network, choose its threshold, and write both into the package.

    Args:
        originals: The folder of the published data files.
        logs: The folder of all run folders.
        seed: Chooses the pictures, the held-back digits and the initial weights.
        epochs: How many epochs to train.

    Returns:
        What is known of it.
    """
    mnist = load_data("mnist", originals)
    run = _train(mnist, logs, seed, epochs)
    network = read_network(run.path)
    _, held_back = split_digits(len(mnist.x_train), seed)
    rejector = Rejector(fold(network), network.spec.preparation, ())
    scores = rejector.score(mnist.x_train[held_back], mnist.y_train[held_back])
    thresholds = choose_thresholds(scores)
    versions = dict(run.config["versions"])
    content = build_archive(network, versions["keras"], versions["lenet_tf"])
    facts = DetectorFacts(
        thresholds=thresholds,
        held_back=len(held_back),
        refused=int(np.count_nonzero(scores > thresholds[0])),
        seed=seed,
        pictures=COUNTS,
        epochs=epochs,
        data_sha256=mnist.sha256,
        versions=versions,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    with atomic_write(rejection.FOLDER / f"{rejection.NAME}.keras") as file:
        file.write(content)
    text = format_json(asdict(facts), indent=2) + "\n"
    write_text(rejection.FOLDER / f"{rejection.NAME}.json", text)
    return facts


def choose_thresholds(scores: np.ndarray) -> tuple[float, ...]:
    """Choose the thresholds of pictures with 1, 2, … digits.

    A picture is refused if one of its digits is. With the share `TARGET` / n of its digits, that
    happens to `TARGET` of the pictures with n digits at most.

    Args:
        scores: The scores of held-back digits, float (N,).

    Returns:
        `MAX_DIGITS` thresholds; the last one is for more digits too.
    """
    shares = TARGET / np.arange(1, MAX_DIGITS + 1)
    return tuple(round(float(each), 4) for each in np.quantile(scores, 1 - shares))


def _train(mnist: RawData, logs: Path, seed: int, epochs: int) -> Run:
    """Train on MNIST's digits and made-up pictures; the held-back digits validate."""
    # TensorFlow takes seconds to start, and the pictures don't need it.
    from lenet_tf.training.fit import fit

    train, held_back = split_digits(len(mnist.x_train), seed)
    images, labels = mnist.x_train[train], mnist.y_train[train]
    made, made_labels = make_pictures(images[..., 0], labels, seed)
    images, labels = np.concatenate([images, made[..., None]]), np.append(labels, made_labels)
    order = np.random.default_rng(seed).permutation(len(images))
    data = RawData(
        images[order],
        labels[order],
        mnist.x_train[held_back],
        mnist.y_train[held_back],
        name="digits-and-others",
        num_classes=NOT_A_DIGIT + 1,
    )
    return fit(
        VARIANT,
        data,
        recipe=RECIPE,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        validation="test",
        seed=seed,
        logs=logs,
        report=False,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the network and print its threshold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--originals", help="folder of MNIST's published files")
    parser.add_argument("--logs", type=Path, default=Path("logs"), help="run folders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args(arguments)
    try:
        facts = make_detector(options.originals, options.logs, options.seed, options.epochs)
    except LenetError as error:
        sys.exit(f"Error: {error}")
    print(f"{facts.refused} of {facts.held_back:,} digits refused beyond {facts.thresholds[0]}")


if __name__ == "__main__":
    main()
