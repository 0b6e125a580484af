/** Flat morphology of gray planes: the largest and smallest values in windows. */

import {createPlane, transpose} from "#page/preparation/planes.js";
import {reflect} from "#page/preparation/filters.js";

/**
 * @param {import("#page/preparation/planes.js").Plane} plane
 * @param {number} rows of the window
 * @param {number} columns of the window
 * @returns {import("#page/preparation/planes.js").Plane} the largest value in each window
 */
export const dilate = (plane, rows, columns) => filterBoth(plane, rows, columns, true);

/** @returns {import("#page/preparation/planes.js").Plane} the smallest value in each window. */
export const erode = (plane, rows, columns) => filterBoth(plane, rows, columns, false);

/** @returns {import("#page/preparation/planes.js").Plane} without what is lighter and narrower. */
export const open = (plane, rows, columns) => dilate(erode(plane, rows, columns), rows, columns);

/** @returns {import("#page/preparation/planes.js").Plane} without what is darker and narrower. */
export const close = (plane, rows, columns) => erode(dilate(plane, rows, columns), rows, columns);

function filterBoth(plane, rows, columns, isMaximum) {
  let filtered = plane;
  if (rows > 1) filtered = transpose(filterRows(transpose(filtered), rows, isMaximum));
  return columns > 1 ? filterRows(filtered, columns, isMaximum) : filtered;
}

/** Filter along rows, mirrored beyond the sides, with three comparisons a value (van Herk 1992). */
function filterRows({height, width, pixels}, length, isMaximum) {
  const filtered = createPlane(height, width, pixels.constructor);
  // A window of even length lies half a pixel to the left, that of a dilation to the right.
  const before = (length >> 1) - (isMaximum && length % 2 === 0 ? 1 : 0);
  const positions = reflect(width, before, length - before - 1), size = positions.length;
  const line = new pixels.constructor(size), forward = line.slice(), backward = line.slice();
  for (let row = 0; row < height; row++) {
    const start = row * width;
    for (let at = 0; at < size; at++) line[at] = pixels[start + positions[at]];
    for (let at = 0; at < size; at++) {
      forward[at] = at % length === 0 || (line[at] > forward[at - 1]) === isMaximum
        ? line[at] : forward[at - 1];
    }
    for (let at = size - 1; at >= 0; at--) {
      const isLast = at === size - 1 || (at + 1) % length === 0;
      backward[at] = isLast || (line[at] > backward[at + 1]) === isMaximum
        ? line[at] : backward[at + 1];
    }
    for (let at = 0; at < width; at++) {
      const first = backward[at], last = forward[at + length - 1];
      filtered.pixels[start + at] = (first > last) === isMaximum ? first : last;
    }
  }
  return filtered;
}

/**
 * Widen what is light by a disk.
 *
 * @param {import("#page/preparation/planes.js").Plane} plane at least 0, with zeros at its sides
 *   that are as wide as the disk's radius
 * @param {number} radius in pixels
 * @returns {import("#page/preparation/planes.js").Plane} the largest value in each disk
 */
export function dilateByDisk({height, width, pixels}, radius) {
  const widened = createPlane(height, width, pixels.constructor), offsets = [];
  for (let down = -radius; down <= radius; down++) {
    for (let across = -radius; across <= radius; across++) {
      const isInside = down * down + across * across <= radius * radius + 0.5;
      if (isInside) offsets.push(down * width + across);
    }
  }
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at];
    if (!(value > 0)) continue;
    for (const offset of offsets) {
      if (value > widened.pixels[at + offset]) widened.pixels[at + offset] = value;
    }
  }
  return widened;
}

/**
 * Widen what is drawn to a square around each pixel.
 *
 * @param {import("#page/preparation/planes.js").Plane} plane what exceeds 0 is drawn
 * @param {number} radius pixels on each side
 * @returns {import("#page/preparation/planes.js").Plane} uint8, 0 or 1
 */
export function widen({height, width, pixels}, radius) {
  const wide = createPlane(height, width, Uint8Array), hasInk = new Uint8Array(height);
  const widened = createPlane(height, width, Uint8Array);
  for (let row = 0; row < height; row++) {
    const end = (row + 1) * width;
    let drawn = row * width;
    for (let at = drawn; at < end; at++) {
      if (!(pixels[at] > 0)) continue;
      // What was drawn before reaches as far as `drawn`.
      const last = Math.min(at + radius + 1, end);
      wide.pixels.fill(1, Math.max(drawn, at - radius), last);
      drawn = last;
      hasInk[row] = 1;
    }
  }
  for (let row = 0; row < height; row++) {
    const first = Math.max(0, row - radius), last = Math.min(height - 1, row + radius);
    for (let other = first; other <= last; other++) {
      if (!hasInk[other]) continue;
      for (let at = row * width, from = other * width; from < (other + 1) * width; at++, from++) {
        widened.pixels[at] |= wide.pixels[from];
      }
    }
  }
  return widened;
}
