"""The target codes of LeNet-5's output layer: stylised printed digits of 7×12 pixels, ink +1 and background −1.

LeCun et al. 1998, section II.B and figure 3, describe such bitmaps; these ten are drawn for this project, since the paper's own pixels are
not published as data.
"""

from __future__ import annotations

HEIGHT, WIDTH = 12, 7

_DRAWN = """
.#####.  ...##..  .#####.  .#####.  ....##.  #######  ..####.  #######  .#####.  .#####.
##...##  ..###..  ##...##  ##...##  ...###.  ##.....  .##....  ##...##  ##...##  ##...##
##...##  .####..  .....##  .....##  ..####.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  .....##  .##.##.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  ....##.  ....##.  ##..##.  ######.  ##.....  ....##.  .##.##.  ##...##
##...##  ...##..  ...##..  ..####.  ##..##.  .....##  ######.  ...##..  ..###..  .######
##...##  ...##..  ..##...  .....##  #######  .....##  ##...##  ...##..  .##.##.  .....##
##...##  ...##..  .##....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  ##...##  ....##.  ##...##  ##...##  ..##...  ##...##  ....##.
.#####.  .######  #######  .#####.  ....##.  .#####.  .#####.  ..##...  .#####.  .####..
"""

_LINES = [line.split() for line in _DRAWN.strip().splitlines()]

# One tuple of 84 values per digit, row by row from the top left.
DIGIT_CODES: tuple[tuple[int, ...], ...] = tuple(
    tuple(1 if pixel == "#" else -1 for line in _LINES for pixel in line[digit])
    for digit in range(10)
)
