"""The bars of figure 9 of the 1998 paper, from top to bottom, and the rows that repeat them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A classifier of the figure.

    Attributes:
        label: Its name, as in the paper. A prefix in brackets names the images: `deslant`, moved so
            that the digit stands upright; `dist`, distorted copies added to the training images;
            `16×16`, reduced to this size.
        published: The published test error in %.
        row: The name of the row that repeats it: of the plan or of a classical method. None if
            there is none.
        begins_family: Whether it is the first of a family of classifiers.
    """

    label: str
    published: float
    row: str | None = None
    begins_family: bool = False


# The errors are those of the paper's text and of the list on MNIST's home page.
BARS: tuple[Bar, ...] = (
    Bar("Linear", 12.0, "linear", begins_family=True),
    Bar("[deslant] Linear", 8.4, "linear-deskewed"),
    Bar("Pairwise", 7.6, "pairwise-linear"),
    Bar("K-NN Euclidean", 5.0, "knn", begins_family=True),
    Bar("[deslant] K-NN Euclidean", 2.4, "knn-deskewed"),
    Bar("40 PCA + quadratic", 3.3, "pca-quadratic", begins_family=True),
    Bar("1000 RBF + linear", 3.6, "rbf"),
    Bar("[16×16] Tangent Distance", 1.1, "tangent-distance"),
    Bar("SVM poly 4", 1.1, "svm-poly-4"),
    Bar("RS-SVM poly 5", 1.0, "svm-reduced-poly-5"),
    Bar("[dist] V-SVM poly 9", 0.8),
    Bar("28×28-300-10", 4.7, "mlp-300", begins_family=True),
    Bar("[dist] 28×28-300-10", 3.6, "mlp-300-distorted"),
    Bar("[deslant] 20×20-300-10", 1.6),
    Bar("28×28-1000-10", 4.5, "mlp-1000"),
    Bar("[dist] 28×28-1000-10", 3.8, "mlp-1000-distorted"),
    Bar("28×28-300-100-10", 3.05, "mlp-300-100"),
    Bar("[dist] 28×28-300-100-10", 2.5, "mlp-300-100-distorted"),
    Bar("28×28-500-150-10", 2.95, "mlp-500-150"),
    Bar("[dist] 28×28-500-150-10", 2.45, "mlp-500-150-distorted"),
    Bar("[16×16] LeNet-1", 1.7, "lenet1", begins_family=True),
    Bar("LeNet-4", 1.1, "lenet4"),
    Bar("LeNet-4 / Local", 1.1),
    Bar("LeNet-4 / K-NN", 1.1),
    Bar("LeNet-5", 0.95, "lenet5-1998"),
    Bar("[dist] LeNet-5", 0.8, "lenet5-1998-distorted"),
    Bar("[dist] Boosted LeNet-4", 0.7),
)


def format_published(bar: Bar) -> str:
    """Format the published error with one decimal, or with two where it has two."""
    return f"{bar.published:.{1 if round(bar.published, 1) == bar.published else 2}f}"
