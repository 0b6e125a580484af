"""The test images that most networks misclassify."""

from __future__ import annotations

from dataclasses import replace

from reproduction import make_row

from lenet_tf.reproduce import hard_images
from lenet_tf.reproduce.predictions import Predictions


def test_the_hardest_images_are_those_that_most_networks_misclassify():
    """Five images, three networks of one row and one of another; the third row has no vote."""
    one = make_row()
    two = replace(one, name="other")
    votes = hard_images.count_votes(
        {
            one: Predictions("01234", {0: "01235", 1: "01205", 2: "61205"}),
            two: Predictions("01234", {0: "01209"}),
            replace(one, name="lenet5-divided-twice"): Predictions("01234", {0: "99999"}),
        }
    )
    (sample,) = votes
    assert (sample.num_networks, sample.rows, sample.num_wrong.tolist()) == (
        4,
        ("tiny", "other"),
        [1, 0, 0, 3, 4],
    )
    assert [(image.number, image.label, image.votes) for image in sample.find_hardest()] == [
        (4, 4, ((5, 3), (9, 1))),
        (3, 3, ((0, 3),)),
    ]
    page = hard_images.render_page(votes)
    assert (
        "4 networks of 2 rows. All networks classify 2 of the 5 test images correctly. At least one"
        " network misclassifies 3, more than half misclassify 2, and all misclassify 1."
    ) in page
    assert "| 4 | 4 | 4 of 4 | 5: 3, 9: 1 |\n| 3 | 3 | 3 of 4 | 0: 3 |" in page
