/** Convolution and pooling of small square pictures, with all of their terms. */

import {ACTIVATIONS} from "#page/network/activations.js";

/**
 * @typedef {object} Windows how a window moves over a square picture
 * @property {number} size side of the picture
 * @property {number} window side of the window
 * @property {number} stride
 * @property {number} before cells of padding above, and on the left
 * @property {number} after cells of padding below, and on the right
 */

/** @returns {number} how many places a window has along a side; 0 if it is too large. */
export function countPlaces({size, window, stride, before = 0, after = 0}) {
  return Math.max(Math.floor((size - window + before + after) / stride) + 1, 0);
}

/**
 * Return the padding of a mode: "valid" is none, "same" keeps ⌈size / stride⌉ places as Keras does,
 * "amount" is as many cells on each side.
 *
 * @returns {{before: number, after: number}}
 */
export function findPadding(mode, {size, window, stride}, amount = 0) {
  if (mode === "amount") return {before: amount, after: amount};
  if (mode === "valid") return {before: 0, after: 0};
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + window - size, 0);
  return {before: Math.floor(total / 2), after: Math.ceil(total / 2)};
}

/**
 * List the cells of the window at a place.
 *
 * @param {number[]} values size × size
 * @param {Windows} windows
 * @param {number} place 0, 1, … from left to right and from top to bottom
 * @returns {{index: number, value: number}[]} row by row; the index is −1 in the padding
 */
export function listCells(values, windows, place) {
  const {size, window, stride, before = 0} = windows, places = countPlaces(windows);
  const top = Math.floor(place / places) * stride - before;
  const left = place % places * stride - before;
  return Array.from({length: window ** 2}, (_, i) => {
    const row = top + Math.floor(i / window), column = left + i % window;
    const isInside = row >= 0 && row < size && column >= 0 && column < size;
    const index = isInside ? row * size + column : -1;
    return {index, value: isInside ? values[index] : 0};
  });
}

/** Compute something of the cells of each window. */
function computeWindows(values, windows, compute) {
  return Array.from({length: countPlaces(windows) ** 2}, (_, place) =>
    compute(listCells(values, windows, place).map(({value}) => value)));
}

/**
 * Slide a kernel over a picture, not flipped, as Keras' convolutions do.
 *
 * @param {number[]} values size × size
 * @param {number[]} kernel window × window
 * @param {Windows} windows
 * @returns {number[]} places × places
 */
export function correlate(values, kernel, windows) {
  return computeWindows(values, windows, (cells) =>
    cells.reduce((sum, value, i) => sum + value * kernel[i], 0));
}

const add = (cells) => cells.reduce((sum, value) => sum + value, 0);

/**
 * Pool a picture in five ways.
 *
 * @param {number[]} values size × size
 * @param {Windows} windows
 * @param {{coefficient: number, bias: number}} weights of the subsampling of 1998
 * @returns {{max: number[], average: number[], min: number[], sum: number[],
 *   subsampling: number[]}}
 */
export function poolPicture(values, windows, {coefficient, bias}) {
  const squash = ACTIVATIONS.scaled_tanh;
  const pools = {
    max: (cells) => Math.max(...cells),
    average: (cells) => add(cells) / cells.length,
    min: (cells) => Math.min(...cells),
    sum: add,
    subsampling: (cells) => squash(coefficient * add(cells) + bias),
  };
  return Object.fromEntries(Object.entries(pools).map(([name, pool]) =>
    [name, computeWindows(values, windows, pool)]));
}

/**
 * Return a well-known kernel.
 *
 * @param {"identity" | "blur" | "sharpen" | "edge"} name
 * @param {number} side
 * @returns {number[]} side × side
 */
export function createKernel(name, side) {
  const middle = (side - 1) >> 1;
  const kernel = new Array(side ** 2).fill(0);
  const cells = kernel.map((_, i) => [Math.floor(i / side) - middle, i % side - middle]);
  if (name === "blur") return kernel.fill(1 / side ** 2);
  if (name === "edge") return cells.map(([, x]) => Math.sign(x + middle - (side - 1) / 2) + 0);
  const neighbors = cells.map(([y, x]) => Math.abs(y) + Math.abs(x) === 1);
  const center = middle * side + middle;
  if (name === "sharpen") {
    neighbors.forEach((isNeighbor, i) => {
      kernel[i] = isNeighbor ? -1 : 0;
    });
    kernel[center] = neighbors.filter(Boolean).length;
  }
  kernel[center] += 1;
  return kernel;
}

/** @returns {number[]} with another value at an index. */
export function replaceAt(values, index, value) {
  return values.map((old, i) => i === index ? value : old);
}

/** @returns {number[]} a 7 of values 0 and 9, size × size. */
export function drawSeven(size) {
  const margin = size > 4 ? 1 : 0, last = size - 1 - margin;
  return Array.from({length: size ** 2}, (_, i) => {
    const row = Math.floor(i / size), column = i % size;
    if (row < margin || row > last) return 0;
    if (row === margin) return column >= margin && column <= last ? 9 : 0;
    return column === last - Math.floor((row - margin) / 2) ? 9 : 0;
  });
}

/**
 * Shrink an image to a few cells: the mean of each cell's pixels, scaled to whole numbers 0…9.
 *
 * @param {import("#page/store.js").RawImage} image
 * @returns {number[]} size × size
 */
export function shrinkImage({height, width, channels, pixels}, size) {
  const means = Array.from({length: size ** 2}, (_, i) => {
    const [top, bottom] = findRange(Math.floor(i / size), size, height);
    const [left, right] = findRange(i % size, size, width);
    let sum = 0;
    for (let row = top; row < bottom; row++) {
      for (let at = (row * width + left) * channels; at < (row * width + right) * channels; at++) {
        sum += pixels[at];
      }
    }
    return sum / ((bottom - top) * (right - left) * channels);
  });
  const largest = Math.max(...means) || 1;
  return means.map((mean) => Math.round(9 * mean / largest));
}

const findRange = (cell, cells, length) => {
  const start = Math.floor(cell * length / cells);
  return [start, Math.max(Math.floor((cell + 1) * length / cells), start + 1)];
};
