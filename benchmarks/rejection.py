"""Measure how often the answer is "not a digit": for digits, letters, drawings and photographs.

Usage: rejection.py [--originals FOLDER] [--test FOLDER] [--seconds]. Without --test only what
needs no download is measured: MNIST's and Fashion-MNIST's test images, letters in fonts of
Matplotlib that trained nothing, and made-up strokes and blobs of another seed. FOLDER holds a
folder of pictures for each further kind; files that end in `_CODE.png` show the character of that
Unicode number. Each picture goes through `lenet_tf.predict`. One that has no prediction counts as
refused. Prints a table in Markdown and writes results/rejection.json.
"""

from __future__ import annotations

import argparse
import json
import re
import string
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from lenet_tf import load_data, predict
from lenet_tf.inference.rejection import load_rejector, read_facts
from lenet_tf.reproduce import made_up_pictures as made_up

RESULTS = Path(__file__).parents[1] / "results" / "rejection.json"
# Fonts that the network was not trained on.
OTHER_FONTS = ("cmr10", "cmss10", "cmtt10", "DejaVuSerif-BoldItalic", "STIXGeneralBol")
# Letters that many people write like a digit.
LOOK_ALIKES = frozenset("OolIiSsZzBbgq")
SEED = 1000

# Pictures or digit images, and the characters that they show; "" if they show none.
Kind = tuple[list[Image.Image] | np.ndarray, list[str]]


def collect(pictures: Iterable[tuple[np.ndarray, str]]) -> Kind:
    """Return pictures and their characters."""
    items, characters = zip(*pictures, strict=True)
    return [Image.fromarray(item) for item in items], list(characters)


def list_kinds(originals: str | None, folder: Path | None) -> Iterator[tuple[str, Kind]]:
    """Yield each kind of picture."""
    mnist = load_data("mnist", originals)
    yield "MNIST test digits", (mnist.x_test, [*map(str, mnist.y_test)])
    fashion = load_data("fashion_mnist", originals).x_test[:2000]
    yield "Fashion-MNIST, as it is", (fashion, [""] * len(fashion))
    random = np.random.default_rng(SEED)

    def draw(draw_ink, count: int) -> Kind:
        return collect((made_up.to_picture(random, draw_ink(random)), "") for _ in range(count))

    for font in OTHER_FONTS:
        drawn = (
            (made_up.to_picture(random, made_up.draw_character(random, letter, (font,))), letter)
            for letter in 2 * string.ascii_letters
        )
        yield f"letters of {font}, distorted", collect(drawn)
    yield "made-up strokes", draw(made_up.draw_strokes, 300)
    yield "made-up blobs", draw(made_up.draw_blobs, 300)
    for kind in sorted(folder.iterdir()) if folder else ():
        yield kind.name, collect(map(read_named, sorted(kind.glob("*.png"))))


def read_named(file: Path) -> tuple[np.ndarray, str]:
    """Return a picture and the character that its name says it shows."""
    code = re.search(r"_(\d+)$", file.stem)
    return np.asarray(Image.open(file).convert("L")), chr(int(code[1])) if code else ""


def measure(kind: Kind) -> dict[str, int]:
    """Count the refused pictures of a kind, and the refused correct and wrong answers."""
    pictures, characters = kind
    predictions = predict(pictures)
    has_answer = np.array([each.error is None for each in predictions])
    is_refused = ~has_answer | np.array([each.is_digit is not True for each in predictions])
    counts = {"pictures": len(predictions), "refused": int(is_refused.sum())}
    names = np.array(characters)
    groups = {}
    if np.isin(names, [*string.digits]).all():
        answers = [None if each.error else each.text for each in predictions]
        groups = {"correct": names == answers}
        groups["wrong"] = has_answer & ~groups["correct"]
    elif np.isin(names, [*string.ascii_letters]).all():
        groups = {"look_alikes": np.isin(names, [*LOOK_ALIKES])}
    for name, group in groups.items():
        counts[name] = int(group.sum())
        counts[f"refused_{name}"] = int((is_refused & group).sum())
    return counts


def main() -> None:
    """Measure all kinds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--originals")
    parser.add_argument("--test", type=Path, metavar="FOLDER")
    parser.add_argument("--seconds", action="store_true", help="time 10,000 images, and stop")
    options = parser.parse_args()
    if options.seconds:
        images = load_data("mnist", options.originals).x_test
        rejector = load_rejector()
        start = time.perf_counter()
        rejector.is_digit(images, np.zeros(len(images), int))
        print(f"{(time.perf_counter() - start) / len(images) * 1e3:.4f} ms an image")
        return
    results = {}
    print("| kind | pictures | refused |\n|---|---|---|")
    for name, kind in list_kinds(options.originals, options.test):
        results[name] = counts = measure(kind)
        share = counts["refused"] / counts["pictures"]
        print(f"| {name} | {counts['pictures']:,} | {share:.1%} |", flush=True)
    values = {"detector": read_facts().sha256, "kinds": results}
    RESULTS.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
