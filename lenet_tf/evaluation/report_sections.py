"""The sections of a run's report: plots as SVG, images as galleries, tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure

from lenet_tf.data.dataset import RawData
from lenet_tf.evaluation import figures, image_figures
from lenet_tf.evaluation.architecture_figure import plot_architecture
from lenet_tf.evaluation.attributions import Attributions, compute_attributions
from lenet_tf.evaluation.html_pages import PageTable, to_svgs
from lenet_tf.evaluation.inspection import feature_maps, filters
from lenet_tf.evaluation.mistakes import name_mistakes, rank_mistakes
from lenet_tf.evaluation.page_images import (
    Picture,
    build_gallery,
    to_data_uri,
    to_diverging,
    to_ink,
)
from lenet_tf.evaluation.scores import Scores
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs.rows import format_shape


@dataclass(frozen=True)
class Section:
    """A section of the page and the figure that shows the same as a file of its own.

    Attributes:
        heading: The section's heading.
        figure: The figure for a PNG file.
        is_plot: Whether the page shows the figure; otherwise it shows the pictures.
        pictures: Images in a gallery.
        layout: The gallery's class in the page: `images`, `kernels`, `triples` or `lines`.
        note: A sentence below the heading.
        link: The address of a file that has more, relative to the page.
        table: A table.
    """

    heading: str
    figure: Figure
    is_plot: bool = True
    pictures: list[Picture] = field(default_factory=list)
    layout: str = "images"
    note: str = ""
    link: str = ""
    table: PageTable | None = None

    def render_plots(self) -> list[str]:
        """Return the figure's plots as SVG; none if the page shows pictures instead."""
        return to_svgs(self.figure, self.heading) if self.is_plot else []


def build_sections(
    model: LeNet,
    data: RawData,
    history: Mapping[str, list[float]],
    probabilities: np.ndarray,
    scores: Scores,
    csv_address: str,
) -> dict[str, Section]:
    """Build the sections of a report.

    Args:
        model: The trained network.
        data: The data set.
        history: Metric → its value in every epoch.
        probabilities: Class probabilities of the test images, float (N, classes).
        scores: Scores of the predictions.
        csv_address: The address of the file of misclassified images, relative to the page.

    Returns:
        Name of the figure's file → section, in the page's order.
    """
    sections = {
        "architecture": Section("Architecture, drawn to scale", plot_architecture(model.spec)),
        "curves": Section("Learning curves", figures.plot_learning_curves(history)),
        "scores": Section("Recall and precision by class", figures.plot_class_scores(scores)),
        "confusion": Section(
            "Confusion matrix",
            figures.plot_confusion_matrix(scores),
            table=_tabulate_confusions(scores),
        ),
        "reliability": Section("Calibration", figures.plot_calibration(probabilities, data.y_test)),
        "mistakes": _show_mistakes(data, probabilities, csv_address),
        "attributions": _show_attributions(
            compute_attributions(
                model,
                data.x_test,
                data.y_test,
                probabilities,
                rank_mistakes(data.y_test, probabilities),
                data.class_names,
                data.has_photographs,
            )
        ),
    }
    kernels = filters(model)
    if kernels:
        name = next(iter(kernels))
        sections["filters"] = _show_filters(kernels[name], name)
    index = int(np.argmax(probabilities.argmax(axis=1) == data.y_test))
    outputs = feature_maps(model, data.x_test[index : index + 1])
    heading = f"Layer outputs for test image {index}, class {scores.name_class(data.y_test[index])}"
    sections["maps"] = _show_maps({name: values[0] for name, values in outputs.items()}, heading)
    return sections


def _tabulate_confusions(scores: Scores) -> PageTable:
    names = scores.class_names or range(scores.num_classes)
    rows = [
        [names[label], names[prediction], images, f"{share.value:.2%}"]
        for label, prediction, images, share in scores.most_confused()
    ]
    return PageTable(["class", "taken for", "images", "of the class"], rows)


def _show_mistakes(data: RawData, probabilities: np.ndarray, csv_address: str) -> Section:
    mistakes = rank_mistakes(data.y_test, probabilities)
    shown = mistakes[: figures.MAX_MISTAKES]
    titles = name_mistakes(data.y_test, probabilities, shown, data.class_names)
    captions = [f"{title}\nimage {index}" for title, index in zip(titles, shown, strict=True)]
    return Section(
        "Most confident mistakes",
        figures.plot_mistakes(
            data.x_test,
            data.y_test,
            probabilities,
            data.class_names,
            are_photographs=data.has_photographs,
        ),
        is_plot=False,
        pictures=build_gallery(
            [data.x_test[index] for index in shown], captions, data.has_photographs
        ),
        note=f"{len(mistakes):,} of {len(data.x_test):,} test images are misclassified.",
        link=csv_address,
    )


def _show_attributions(found: Attributions) -> Section:
    lines = zip(*found.rows.values(), strict=True)
    pictures = [
        Picture([to_data_uri(image) for image in line], title)
        for line, title in zip(lines, found.titles, strict=True)
    ]
    return Section(
        f"What the network looks at: {' and '.join([*found.rows][1:])}",
        image_figures.plot_attributions(found.rows, found.titles),
        is_plot=False,
        pictures=pictures,
        layout="triples",
        note=found.note,
    )


def _show_filters(kernels: np.ndarray, name: str) -> Section:
    shown = np.nanmean(kernels[..., : image_figures.MAX_MAPS], axis=2)
    colored = to_diverging(np.moveaxis(shown, -1, 0), float(np.nanmax(np.abs(kernels))))
    return Section(
        f"Filters of {name}",
        image_figures.plot_filters(kernels, name),
        is_plot=False,
        pictures=[
            Picture([to_data_uri(kernel)], f"{name}.{number}")
            for number, kernel in enumerate(colored)
        ],
        layout="kernels",
    )


def _show_maps(maps: Mapping[str, np.ndarray], heading: str) -> Section:
    pictures = []
    for name, values in image_figures.drop_flattened(maps).items():
        shades = to_ink(values, float(values.min()), float(values.max()))
        count = values.shape[-1]
        if values.size == count:
            caption = f"{name}: {count} {'units' if values.ndim == 1 else 'maps of 1×1'}"
            picture = Picture([to_data_uri(shades.reshape(1, -1))], caption, is_strip=True)
        else:
            shown = np.moveaxis(shades, -1, 0)[: image_figures.MAX_MAPS]
            first = f"{len(shown)} of " if len(shown) < count else ""
            caption = f"{name}: {first}{count} {'map' if count == 1 else 'maps'} of"
            caption += f" {format_shape(values.shape[:2])}"
            picture = Picture([to_data_uri(each) for each in shown], caption)
        pictures.append(picture)
    return Section(
        heading,
        image_figures.plot_feature_maps(maps),
        is_plot=False,
        pictures=pictures,
        layout="lines",
    )
