/** Convolutions, of all input maps or of those that a connection table names. */

import {clipWindow, getWindow, listTerms, locateWindow} from "#page/network/layers/windows.js";

/** Filters that are computed together: their sums stay in the processor's registers. */
const BLOCK = 4;
/** Kernels by the arrays that hold them, which are never changed. */
const expandedKernels = new WeakMap();

export function computeSums(layer, inputs) {
  const [height, width, maps] = layer.inputShape, [rows, columns, filters] = layer.outputShape;
  const window = getWindow(layer), {values: kernel, step} = expandKernel(layer);
  const bias = layer.weights[1].values, sums = new Float64Array(rows * columns * filters);
  for (let row = 0, at = 0; row < rows; row++) {
    const top = row * window.down - window.top;
    const first = Math.max(0, -top), last = Math.min(window.rows, height - top);
    for (let column = 0; column < columns; column++, at += filters) {
      const left = column * window.across - window.left;
      const from = Math.max(0, -left), to = Math.min(window.columns, width - left);
      for (let filter = 0; filter < filters; filter += BLOCK) {
        let sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        for (let i = first; i < last; i++) {
          let input = ((top + i) * width + left + from) * maps;
          let weight = (i * window.columns + from) * maps * step + filter;
          for (const end = input + (to - from) * maps; input < end; input++, weight += step) {
            const value = inputs[input];
            sum0 += value * kernel[weight];
            sum1 += value * kernel[weight + 1];
            sum2 += value * kernel[weight + 2];
            sum3 += value * kernel[weight + 3];
          }
        }
        sums[at + filter] = sum0 + bias[filter];
        if (filter + 1 < filters) sums[at + filter + 1] = sum1 + bias[filter + 1];
        if (filter + 2 < filters) sums[at + filter + 2] = sum2 + bias[filter + 2];
        if (filter + 3 < filters) sums[at + filter + 3] = sum3 + bias[filter + 3];
      }
    }
  }
  return sums;
}

export function backpropagate(layer, inputs, gradients) {
  const [, width, maps] = layer.inputShape, filters = layer.outputShape[2];
  const {columns} = getWindow(layer), {values: kernel, step} = expandKernel(layer);
  const result = new Float64Array(inputs.length);
  for (let unit = 0; unit < gradients.length; unit += filters) {
    const window = locateWindow(layer, unit), part = clipWindow(window, layer.inputShape);
    for (let y = part.top; y < part.bottom; y++) {
      for (let x = part.left; x < part.right; x++) {
        const place = (y - window.top) * columns + x - window.left;
        for (let map = 0; map < maps; map++) {
          const weight = (place * maps + map) * step;
          let sum = 0;
          for (let f = 0; f < filters; f++) sum += gradients[unit + f] * kernel[weight + f];
          result[(y * width + x) * maps + map] += sum;
        }
      }
    }
  }
  return result;
}

export function explain(layer, inputs, unit) {
  const window = locateWindow(layer, unit), {columns} = getWindow(layer);
  const {values: kernel, step} = expandKernel(layer), maps = layer.inputShape[2];
  const terms = [], groups = [];
  for (const map of listSources(layer)[window.map]) {
    let sum = 0;
    for (const term of listTerms(window, layer.inputShape, inputs, map)) {
      const place = term.row * columns + term.column;
      const weight = kernel[(place * maps + map) * step + window.map];
      const product = term.value * weight;
      sum += product;
      terms.push({...term, weight, product});
    }
    groups.push({map, sum});
  }
  return {terms, groups, bias: layer.weights[1].values[window.map]};
}

/** @returns {number[][]} the input maps of each filter. */
function listSources(layer) {
  const all = Array.from({length: layer.inputShape[2]}, (_, map) => map);
  return layer.row.table ?? Array.from({length: layer.outputShape[2]}, () => all);
}

/**
 * @returns {{values: Float32Array, step: number}} kernels (height, width, input maps, step), where
 *   step is the number of filters, rounded up to whole blocks; 0 for what is not connected
 */
function expandKernel(layer) {
  const [stored] = layer.weights;
  if (!expandedKernels.has(stored)) expandedKernels.set(stored, copyKernel(layer, stored.values));
  return expandedKernels.get(stored);
}

function copyKernel(layer, stored) {
  const {rows, columns} = getWindow(layer), size = rows * columns, maps = layer.inputShape[2];
  const filters = layer.outputShape[2], step = Math.ceil(filters / BLOCK) * BLOCK;
  const values = new Float32Array(size * maps * step);
  if (!layer.row.table) {
    stored.forEach((weight, i) => {
      values[Math.floor(i / filters) * step + i % filters] = weight;
    });
    return {values, step};
  }
  let from = 0;
  layer.row.table.forEach((sources, filter) => sources.forEach((map) => {
    for (let place = 0; place < size; place++) {
      values[(place * maps + map) * step + filter] = stored[from++];
    }
  }));
  return {values, step};
}
