/** Filters of planes that compute as those of scipy.ndimage do. */

import {createPlane, measureRim} from "#page/preparation/planes.js";
import {selectRank} from "#page/preparation/statistics.js";

// A Gaussian of one pixel: its center and the four values beside it.
const CENTER = 0.39894346935609776;
const [FIRST, SECOND, THIRD, FOURTH] = [
  0.24197144565660073, 0.05399112742070441, 0.0044318616200312655, 0.00013383062461474175,
];

/**
 * Smooth a plane with a Gaussian of one pixel; the outermost pixels continue beyond the sides.
 *
 * @param {import("#page/preparation/planes.js").Plane} plane
 * @returns {import("#page/preparation/planes.js").Plane} float32
 */
export function smooth(plane) {
  return smoothNear(plane, Math.max(plane.height, plane.width));
}

/** @returns {import("#page/preparation/planes.js").Plane} smoothed in the rim, 0 elsewhere. */
export function smoothRim(plane) {
  return smoothNear(plane, measureRim(plane));
}

function smoothNear(plane, rim) {
  const {height, width} = plane, smoothed = createPlane(height, width);
  // A line, with its ends continued.
  const line = new Float32Array(width + 8);
  for (let row = 0; row < height; row++) {
    const skips = row >= rim && row < height - rim && width > 2 * rim + 8;
    if (skips) {
      smoothDown(plane, row, 0, rim + 4, line);
      smoothDown(plane, row, width - rim - 4, width, line);
    } else {
      smoothDown(plane, row, 0, width, line);
    }
    line.fill(line[4], 0, 4);
    line.fill(line[width + 3], width + 4);
    const out = smoothed.pixels.subarray(row * width, (row + 1) * width);
    smoothAcross(line, 0, skips ? rim : width, out);
    if (skips) smoothAcross(line, width - rim, width, out);
  }
  return smoothed;
}

function smoothDown({height, width, pixels}, row, first, end, line) {
  const place = (step) => Math.min(Math.max(row + step, 0), height - 1) * width;
  const a = place(-4), b = place(4), c = place(-3), d = place(3);
  const e = place(-2), f = place(2), g = place(-1), h = place(1), start = row * width;
  for (let column = first; column < end; column++) {
    line[column + 4] = pixels[start + column] * CENTER
      + (pixels[a + column] + pixels[b + column]) * FOURTH
      + (pixels[c + column] + pixels[d + column]) * THIRD
      + (pixels[e + column] + pixels[f + column]) * SECOND
      + (pixels[g + column] + pixels[h + column]) * FIRST;
  }
}

function smoothAcross(line, first, end, out) {
  for (let column = first; column < end; column++) {
    out[column] = line[column + 4] * CENTER
      + (line[column] + line[column + 8]) * FOURTH
      + (line[column + 1] + line[column + 7]) * THIRD
      + (line[column + 2] + line[column + 6]) * SECOND
      + (line[column + 3] + line[column + 5]) * FIRST;
  }
}

/** @returns {Int32Array} positions along a line that is mirrored beyond its ends. */
export function reflect(size, before, after) {
  return Int32Array.from({length: before + size + after}, (_, at) => {
    const position = (((at - before) % (2 * size)) + 2 * size) % (2 * size);
    return position < size ? position : 2 * size - 1 - position;
  });
}

/** @returns {import("#page/preparation/planes.js").Plane} float32: means along rows. */
export function averageRows({height, width, pixels}, length) {
  const averages = createPlane(height, width);
  const before = length >> 1, positions = reflect(width, before, length - before - 1);
  const line = new Float64Array(positions.length);
  for (let row = 0; row < height; row++) {
    const start = row * width;
    for (let at = 0; at < line.length; at++) line[at] = pixels[start + positions[at]];
    let total = 0;
    for (let at = 0; at < length; at++) total += line[at];
    averages.pixels[start] = total / length;
    for (let at = 1; at < width; at++) {
      total += line[at + length - 1] - line[at - 1];
      averages.pixels[start + at] = total / length;
    }
  }
  return averages;
}

/** @returns {import("#page/preparation/planes.js").Plane} medians of 3 × 3 pixels. */
export function takeMedians({height, width, pixels}) {
  const medians = createPlane(height, width), window = new Float32Array(9);
  const clip = (value, size) => Math.min(Math.max(value, 0), size - 1);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let each = 0; each < 9; each++) {
        const down = clip(row + Math.floor(each / 3) - 1, height);
        window[each] = pixels[down * width + clip(column + (each % 3) - 1, width)];
      }
      medians.pixels[row * width + column] = selectRank(window, 4);
    }
  }
  return medians;
}

/** @returns {Float32Array} medians of an odd number of values around a ring. */
export function takeRingMedians(values, length) {
  const half = length >> 1, window = new Float32Array(length), count = values.length;
  return values.map((_, at) => {
    for (let each = 0; each < length; each++) {
      window[each] = values[(at + each - half + length * count) % count];
    }
    return selectRank(window, half);
  });
}
