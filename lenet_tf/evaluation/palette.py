"""The colors and markers of every figure.

The colors are Okabe and Ito's, which color-blind readers can tell apart.
"""

from __future__ import annotations

BLUE, ORANGE, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"
PINK, SKY_BLUE, AMBER = "#CC79A7", "#56B4E9", "#E69F00"
# The faces and edges of a drawn network.
PALE_BLUE, DARK_BLUE = "#eaf1f8", "#24527a"
# Shades of gray, as matplotlib reads them: for reference lines, grids and annotations.
GRAY, LIGHT_GRAY, DARK_GRAY = "0.55", "0.9", "0.35"
# Runs in one figure. The palette's yellow is hard to see on white and is left out.
SERIES_COLORS = (BLUE, ORANGE, GREEN, BLACK, PINK, SKY_BLUE, AMBER)
SERIES_MARKERS = "os^Dv*PX<>ph"
# matplotlib's color map for digits and feature maps: high values are dark.
INK = "gray_r"
# matplotlib's color map for kernels: violet is negative, orange positive.
DIVERGING = "PuOr_r"
