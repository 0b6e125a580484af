"""Colors of every figure: Okabe and Ito's palette, which color-blind readers can tell apart."""

from __future__ import annotations

BLUE, ORANGE, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "#000000"
PURPLE, SKY_BLUE, AMBER = "#CC79A7", "#56B4E9", "#E69F00"
GRAY = "0.55"
# Runs side by side. The palette's yellow is left out: it is hard to see on white.
SERIES = (BLUE, ORANGE, GREEN, BLACK, PURPLE, SKY_BLUE, AMBER)
# matplotlib's color map for images: dark where a value is high.
INK = "gray_r"
