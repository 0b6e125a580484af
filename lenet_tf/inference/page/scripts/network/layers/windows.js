/** Windows that slide over maps: lenet_tf/specs/conv_arithmetic.py. */

/** @returns {number[]} [height, width, maps]; a flat layer is one pixel, its units are maps. */
export function toImageShape(shape) {
  return shape.length === 1 ? [1, 1, shape[0]] : shape;
}

/**
 * @param {import("#page/network/network.js").Layer} layer with a kernel or a pooling window
 * @returns {{rows: number, columns: number, down: number, across: number, top: number,
 *   left: number}} size and strides of the window, and the padding above and left of the input
 */
export function getWindow({kind, row, inputShape: [height, width], outputShape}) {
  if (kind === "global_average_pooling") {
    return {rows: height, columns: width, down: height, across: width, top: 0, left: 0};
  }
  const [rows, columns] = toPair(row.kernel ?? row.size);
  const [down, across] = toPair(row.stride ?? row.size);
  const same = row.padding === "same";
  return {
    rows, columns, down, across,
    top: same ? computePaddingBefore(height, rows, down, outputShape[0]) : 0,
    left: same ? computePaddingBefore(width, columns, across, outputShape[1]) : 0,
  };
}

/**
 * @param {import("#page/network/network.js").Layer} layer with a kernel or a pooling window
 * @param {number} unit position in its output
 * @returns {{top: number, left: number, bottom: number, right: number, map: number}} the unit's
 *   window in the input, padding included (bottom and right exclusive), and the unit's map
 */
export function locateWindow(layer, unit) {
  const [, columns, maps] = toImageShape(layer.outputShape), window = getWindow(layer);
  const place = Math.floor(unit / maps);
  const top = Math.floor(place / columns) * window.down - window.top;
  const left = place % columns * window.across - window.left;
  return {
    top, left, bottom: top + window.rows, right: left + window.columns, map: unit % maps,
  };
}

/** @returns {object} the part of a window that lies in an image, the map as it is. */
export function clipWindow({top, left, bottom, right, ...rest}, [height, width]) {
  return {
    ...rest,
    top: Math.max(top, 0),
    left: Math.max(left, 0),
    bottom: Math.min(bottom, height),
    right: Math.min(right, width),
  };
}

/**
 * List the terms of one map in a window, row by row.
 *
 * @param {object} window from locateWindow
 * @param {number[]} shape [height, width, maps] of the input
 * @param {Float32Array} inputs
 * @param {number} map of the input
 * @returns {object[]} terms without weights, see network/explain.js
 */
export function listTerms({top, left, bottom, right}, [height, width, maps], inputs, map) {
  const terms = [];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      const input = inside ? (y * width + x) * maps + map : -1;
      const value = inside ? inputs[input] : 0;
      terms.push({input, row: y - top, column: x - left, map, value});
    }
  }
  return terms;
}

function toPair(value) {
  return Array.isArray(value) ? value : [value, value];
}

function computePaddingBefore(size, window, stride, windows) {
  return Math.floor(Math.max((windows - 1) * stride + window - size, 0) / 2);
}
