/** What a digit image like those of MNIST is. */

/** Sides of a digit image, and of the box of its ink. */
export const SIZE = 28, BOX = 20;
/** Row and column, from 0, of MNIST's centers of mass. */
export const CENTER = 14;
const MAX_OFFSET = 0.53;

/**
 * Find whether a picture is already like those of MNIST.
 *
 * It must be 28 × 28 with black corners, a box whose longer side is 20, and a center of mass within
 * half a pixel of `CENTER`. The box of 16 images of MNIST is 19, and two centers are slightly
 * further away.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture gray
 * @returns {boolean}
 */
export function isPrepared({height, width, pixels}) {
  if (height !== SIZE || width !== SIZE) return false;
  const last = SIZE * SIZE - 1;
  if (pixels[0] || pixels[SIZE - 1] || pixels[last - SIZE + 1] || pixels[last]) return false;
  const rows = new Array(SIZE).fill(0), columns = new Array(SIZE).fill(0);
  pixels.forEach((value, at) => {
    rows[Math.floor(at / SIZE)] += value;
    columns[at % SIZE] += value;
  });
  const total = rows.reduce((one, other) => one + other);
  if (!total) return false;
  const measured = [rows, columns].map((sums) => ({
    side: sums.findLastIndex(Boolean) - sums.findIndex(Boolean) + 1,
    offset: Math.abs(sums.reduce((moment, value, at) => moment + value * at, 0) / total - CENTER),
  }));
  const side = Math.max(...measured.map((each) => each.side));
  return (side === BOX || side === BOX - 1)
    && Math.max(...measured.map(({offset}) => offset)) <= MAX_OFFSET;
}
