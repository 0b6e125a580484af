"""What model cards say of well-known data sets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataFacts:
    """What a card says of a well-known data set.

    Attributes:
        title: The name as people write it.
        license: The license of its images.
        hub_id: Its name on the Hugging Face hub.
        ink: What its images show, in words.
        limits: For which pictures a network trained on it isn't made.
    """

    title: str
    license: str
    hub_id: str
    ink: str
    limits: tuple[str, ...]


# The limit of every network.
ALWAYS = (
    "It answers one of its classes for every image, also for one that shows none of them, and its"
    " probability is high then too at times."
)
DATA_FACTS = {
    "mnist": DataFacts(
        "MNIST",
        "CC BY-SA 3.0",
        "ylecun/mnist",
        "white ink on black",
        (
            "It knows single digits as MNIST has them: white ink on black, about 20 pixels high,"
            " the center of mass in the middle. `lenet-tf predict` turns a photograph into such an"
            " image; an array is taken as it is.",
            "MNIST's digits were written in the United States, by census employees and high-school"
            " students. Digits of other hands, such as a 1 with a long upstroke or a 7 with a bar,"
            " are misread more often than the test error says.",
            f"{ALWAYS} Letters and scribbles become digits. `lenet-tf predict` and"
            " `lenet_tf.predict` therefore ask a second network first, and answer"
            ' "not a digit" for most of them.',
        ),
    ),
    "fashion_mnist": DataFacts(
        "Fashion-MNIST",
        "MIT",
        "zalando-datasets/fashion_mnist",
        "the article bright on black",
        (
            "It knows product pictures as Fashion-MNIST has them: one article, bright on black,"
            " filling the image, front view. Photographs of people or rooms are something else, and"
            " `lenet-tf predict` prepares pictures of digits.",
            ALWAYS,
        ),
    ),
}
