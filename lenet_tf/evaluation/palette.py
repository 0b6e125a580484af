"""The colors and markers of every figure.

The colors are Okabe and Ito's, which color-blind readers can tell apart.
"""

from __future__ import annotations

BLUE, ORANGE, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"
PINK, SKY_BLUE, AMBER = "#CC79A7", "#56B4E9", "#E69F00"
# The faces and edges of a drawn network.
PALE_BLUE, DARK_BLUE = "#eaf1f8", "#24527a"
# For reference lines, grids and annotations.
GRAY, LIGHT_GRAY, DARK_GRAY = "#8c8c8c", "#e6e6e6", "#595959"
# What a page shows of these colors in dark mode.
DARK_MODE = {
    BLUE: "#5aaee6",
    ORANGE: "#ff8b4d",
    GREEN: "#35c79d",
    BLACK: "#e4e4e4",
    PINK: "#e3a0c6",
    SKY_BLUE: "#8ad0f7",
    AMBER: "#f3b940",
    PALE_BLUE: "#1c2b3b",
    DARK_BLUE: "#86b4e0",
    GRAY: "#8c8c8c",
    LIGHT_GRAY: "#3a3d42",
    DARK_GRAY: "#b4b4b4",
}
# Runs in one figure. The palette's yellow is hard to see on white and is left out.
SERIES_COLORS = (BLUE, ORANGE, GREEN, BLACK, PINK, SKY_BLUE, AMBER)
SERIES_MARKERS = "os^Dv*PX<>ph"
# matplotlib's color map for digits and feature maps: high values are dark.
INK = "gray_r"
# matplotlib's color map for kernels: violet is negative, orange positive.
DIVERGING = "PuOr_r"
