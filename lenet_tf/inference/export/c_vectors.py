"""Test images and expected answers for exported C code."""

from __future__ import annotations

import numpy as np

from lenet_tf.inference.export.c_code import format_array

_COUNT = 10


def choose_images(labels: np.ndarray) -> np.ndarray:
    """Return the indices of ten images: the first of each class, then the first of the others."""
    firsts = np.sort(np.unique(labels, return_index=True)[1])[:_COUNT]
    firsts = firsts[np.argsort(labels[firsts], kind="stable")]
    others = np.setdiff1d(np.arange(len(labels)), firsts)
    return np.concatenate([firsts, others])[:_COUNT]


def write_vectors(
    images: np.ndarray, labels: np.ndarray, answers: np.ndarray, probabilities: np.ndarray
) -> str:
    """Write `test_vectors.h`.

    Args:
        images: Raw images, uint8 (N, …).
        labels: Their labels, (N,).
        answers: The expected classes, (N,).
        probabilities: Expected probabilities in 256ths, uint8 (N, classes).

    Returns:
        The file.
    """
    chosen = choose_images(labels)
    rows = [
        "/* Raw test images, and what lenet_predict answered where they were written. */",
        "#ifndef TEST_VECTORS_H\n#define TEST_VECTORS_H\n",
        '#include "lenet.h"\n',
        f"#define TEST_COUNT {len(chosen)}\n",
        f"/* Their labels: {', '.join(str(int(label)) for label in labels[chosen])}. */",
        format_array("test_answers", answers[chosen].astype(np.int32)),
        _write_table("test_probabilities", "LENET_CLASSES", probabilities[chosen]),
        _write_table("test_images", "LENET_IMAGE_SIZE", images[chosen].reshape(len(chosen), -1)),
        "#endif\n",
    ]
    return "\n".join(rows)


def _write_table(name: str, width: str, values: np.ndarray) -> str:
    lines = ["    {\n" + format_array("", row).partition("\n")[2] for row in values]
    content = "".join(line.replace("};\n", "    },\n") for line in lines)
    return f"static const uint8_t {name}[TEST_COUNT][{width}] = {{\n{content}}};\n"
