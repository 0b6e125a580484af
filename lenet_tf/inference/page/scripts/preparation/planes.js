/** Planes, which are arrays with one value per pixel, and boxes in them. */

/**
 * @typedef {object} Plane
 * @property {number} height
 * @property {number} width
 * @property {Float32Array | Float64Array | Uint8Array | Int32Array} pixels row by row
 */

/**
 * @typedef {object} Box rows and columns; bottom and right are exclusive
 * @property {number} top
 * @property {number} left
 * @property {number} bottom
 * @property {number} right
 */

/** @returns {Plane} a plane of zeros. */
export function createPlane(height, width, Type = Float32Array) {
  return {height, width, pixels: new Type(height * width)};
}

/** @returns {Plane} a plane of float32 with the same values. */
export function toFloats({height, width, pixels}) {
  return {height, width, pixels: new Float32Array(pixels)};
}

/** @returns {Plane} uint8: 1 where a value exceeds a level. */
export function exceed({height, width, pixels}, level) {
  const mask = createPlane(height, width, Uint8Array);
  for (let at = 0; at < pixels.length; at++) mask.pixels[at] = pixels[at] > level ? 1 : 0;
  return mask;
}

/** @returns {boolean} whether a value in a box exceeds 0. */
export function hasInk({width, pixels}, {top, left, bottom, right}) {
  for (let row = top; row < bottom; row++) {
    for (let at = row * width + left; at < row * width + right; at++) {
      if (pixels[at] > 0) return true;
    }
  }
  return false;
}

/** @returns {Box} the rows and columns with values that exceed 0; empty if there are none. */
export function findBox(plane) {
  const box = {top: 0, left: 0, bottom: plane.height, right: plane.width};
  while (box.top < box.bottom && !hasInk(plane, {...box, bottom: box.top + 1})) box.top++;
  while (box.bottom > box.top && !hasInk(plane, {...box, top: box.bottom - 1})) box.bottom--;
  if (box.top === box.bottom) return {top: 0, left: 0, bottom: 0, right: 0};
  while (!hasInk(plane, {...box, right: box.left + 1})) box.left++;
  while (!hasInk(plane, {...box, left: box.right - 1})) box.right--;
  return box;
}

/** @returns {Plane} the part of a plane in a box, which may reach beyond it. */
export function crop(plane, box) {
  const top = Math.min(Math.max(box.top, 0), plane.height);
  const left = Math.min(Math.max(box.left, 0), plane.width);
  const bottom = Math.max(top, Math.min(box.bottom, plane.height));
  const right = Math.max(left, Math.min(box.right, plane.width));
  const part = createPlane(bottom - top, right - left, plane.pixels.constructor);
  for (let row = top; row < bottom; row++) {
    const start = row * plane.width;
    part.pixels.set(plane.pixels.subarray(start + left, start + right), (row - top) * part.width);
  }
  return part;
}

/** @returns {Plane} a plane with more rows above and below, and columns on both sides. */
export function pad(plane, rows, columns, value = 0) {
  const height = plane.height + 2 * rows, width = plane.width + 2 * columns;
  const padded = createPlane(height, width, plane.pixels.constructor);
  if (value) padded.pixels.fill(value);
  for (let row = 0; row < plane.height; row++) {
    const line = plane.pixels.subarray(row * plane.width, (row + 1) * plane.width);
    padded.pixels.set(line, (row + rows) * width + columns);
  }
  return padded;
}

/** @returns {Plane} a plane with rows and columns swapped. */
export function transpose({height, width, pixels}) {
  const swapped = createPlane(width, height, pixels.constructor);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      swapped.pixels[column * height + row] = pixels[row * width + column];
    }
  }
  return swapped;
}

/** @returns {Plane} the difference of two planes in float32. */
export function subtract({height, width, pixels}, {pixels: others}) {
  const difference = createPlane(height, width);
  for (let at = 0; at < pixels.length; at++) difference.pixels[at] = pixels[at] - others[at];
  return difference;
}

/** @returns {number} the largest of some values, at least `least`. */
export function findMaximum(values, least = -Infinity) {
  let maximum = least;
  for (let at = 0; at < values.length; at++) if (values[at] > maximum) maximum = values[at];
  return maximum;
}

/** @returns {number} the smallest of some values. */
export function findMinimum(values) {
  let minimum = Infinity;
  for (let at = 0; at < values.length; at++) if (values[at] < minimum) minimum = values[at];
  return minimum;
}

/** @returns {number} how many rows and columns at each side of a plane show the paper. */
export function measureRim({height, width}) {
  return Math.max(1, Math.floor(Math.min(height, width) / 20));
}

/** @returns {Int32Array} the positions near the sides of a plane. */
export function findRim({height, width}) {
  const rim = measureRim({height, width});
  const inner = Math.max(0, height - 2 * rim) * Math.max(0, width - 2 * rim);
  const positions = new Int32Array(height * width - inner);
  let count = 0;
  for (let row = 0; row < height; row++) {
    const skips = row >= rim && row < height - rim && width > 2 * rim;
    for (let column = 0; column < width; column++) {
      if (skips && column === rim) column = width - rim;
      positions[count++] = row * width + column;
    }
  }
  return positions;
}

/** @returns {number[]} positions of the outermost rows and columns; corners count twice. */
export function walkSides({height, width}) {
  const rows = Array.from({length: height}, (_, row) => row * width);
  const columns = Array.from({length: width}, (_, column) => column);
  return [
    ...columns, ...columns.map((at) => at + (height - 1) * width),
    ...rows, ...rows.map((at) => at + width - 1),
  ];
}

/** @returns the values at some positions, in an array of the same type. */
export function take(values, positions) {
  const taken = new values.constructor(positions.length);
  for (let at = 0; at < positions.length; at++) taken[at] = values[positions[at]];
  return taken;
}

/** @returns {number} rows of a box. */
export const heightOf = (box) => box.bottom - box.top;

/** @returns {number} columns of a box. */
export const widthOf = (box) => box.right - box.left;
