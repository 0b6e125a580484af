/** Finds what a unit sees. */

import {clipWindow, locateWindow, toImageShape} from "#page/network/layers/windows.js";

const FULLY_CONNECTED = ["dense", "rbf"];
const UNCHANGED = ["batch_normalization", "dropout", "flatten"];

/**
 * @typedef {object} Region rows top … bottom − 1 and columns left … right − 1
 * @property {number} top
 * @property {number} left
 * @property {number} bottom
 * @property {number} right
 */

/**
 * Find the part of the network's input that a unit sees.
 *
 * @param {import("#page/network/network.js").Network} network
 * @param {number} layerIndex
 * @param {number} unit position in the layer's output
 * @returns {Region} without padding
 */
export function findReceptiveField(network, layerIndex, unit) {
  let first = unit, last = unit;
  for (let index = layerIndex; index > 0; index--) {
    const layer = network.layers[index];
    [first] = findInputs(layer, first);
    [, last] = findInputs(layer, last);
  }
  return toRegion(network.layers[0].outputShape, first, last);
}

/**
 * Find the part of the previous layer that a unit sees.
 *
 * @param {import("#page/network/network.js").Layer} layer not the first
 * @param {number} unit position in its output
 * @returns {Region} without padding; a flat layer is one pixel
 */
export function findInputWindow(layer, unit) {
  return toRegion(layer.inputShape, ...findInputs(layer, unit));
}

/** @returns {[number, number]} the first and the last position of the layer's input. */
function findInputs(layer, unit) {
  if (UNCHANGED.includes(layer.kind)) return [unit, unit];
  const [height, width, maps] = toImageShape(layer.inputShape);
  if (FULLY_CONNECTED.includes(layer.kind)) return [0, height * width * maps - 1];
  const window = clipWindow(locateWindow(layer, unit), [height, width]);
  const toPosition = (row, column) => (row * width + column) * maps;
  return [toPosition(window.top, window.left), toPosition(window.bottom - 1, window.right - 1)];
}

/** @returns {Region} between two positions. */
function toRegion(shape, first, last) {
  const [, width, maps] = toImageShape(shape);
  const [start, end] = [first, last].map((position) => Math.floor(position / maps));
  return {
    top: Math.floor(start / width),
    left: start % width,
    bottom: Math.floor(end / width) + 1,
    right: end % width + 1,
  };
}
