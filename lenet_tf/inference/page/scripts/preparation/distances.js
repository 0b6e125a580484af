/** Distances to the nearest pixel outside of a mask. */

import {createPlane} from "#page/preparation/planes.js";

/**
 * Compute each pixel's distance to the nearest zero of a mask, exactly (Meijster et al. 2000).
 *
 * @param {import("#page/preparation/planes.js").Plane} mask with a zero
 * @returns {import("#page/preparation/planes.js").Plane} float64
 */
export function computeDistances(mask) {
  const {height, width} = mask;
  const distances = createPlane(height, width, Float64Array);
  const down = measureDown(mask);
  const starts = new Int32Array(width), columns = new Int32Array(width);
  for (let row = 0; row < height; row++) {
    const line = down.subarray(row * width, (row + 1) * width);
    measureAcross(line, columns, starts, distances.pixels.subarray(row * width));
  }
  return distances;
}

/** @returns {Float64Array} the distance to the nearest zero of the same column. */
function measureDown({height, width, pixels}) {
  const far = height + width, down = new Float64Array(height * width);
  for (let at = 0; at < pixels.length; at++) {
    if (pixels[at]) down[at] = at < width ? far : Math.min(far, down[at - width] + 1);
  }
  for (let at = pixels.length - width - 1; at >= 0; at--) {
    down[at] = Math.min(down[at], down[at + width] + 1);
  }
  return down;
}

/** Take the nearest of all columns: the lower envelope of parabolas. */
function measureAcross(down, columns, starts, distances) {
  const width = down.length;
  const square = (at, column) => (at - column) ** 2 + down[column] ** 2;
  let last = 0;
  columns[0] = starts[0] = 0;
  for (let column = 1; column < width; column++) {
    while (last >= 0 && square(starts[last], columns[last]) > square(starts[last], column)) last--;
    if (last < 0) {
      last = 0;
      columns[0] = column;
      continue;
    }
    const before = columns[last];
    const crossing = column ** 2 - before ** 2 + down[column] ** 2 - down[before] ** 2;
    const start = 1 + Math.floor(crossing / (2 * (column - before)));
    if (start < width) {
      columns[++last] = column;
      starts[last] = start;
    }
  }
  for (let at = width - 1; at >= 0; at--) {
    distances[at] = Math.sqrt(square(at, columns[last]));
    if (at === starts[last]) last--;
  }
}
