/** Computes the output of every layer: one function for each kind of row. */

import {ACTIVATIONS} from "#page/network/activations.js";
import {softmax} from "#page/network/probabilities.js";

/** @type {Object<string, function(object, Float32Array): Float32Array>} by the kind of the row */
export const LAYERS = {
  convolution: computeConvolution,
  table_convolution: computeTableConvolution,
  subsampling: computeSubsampling,
  pooling: computePooling,
  flatten: (layer, inputs) => inputs,
  dense: computeDense,
  rbf: computeRbf,
};

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {Float32Array} input the prepared image
 * @param {{disabled?: Object<string, number[]>}} options maps or units that are switched off, by
 *   the layer's name: their outputs are 0
 * @returns {Float32Array[]} the output of each layer; the first is the input
 */
export function computeOutputs(network, input, {disabled = {}} = {}) {
  const outputs = [input];
  for (const layer of network.layers.slice(1)) {
    let values = LAYERS[layer.kind](layer, outputs.at(-1));
    const maps = layer.outputShape.at(-1);
    if (disabled[layer.name]?.length) {
      const off = new Set(disabled[layer.name]);
      values = values.map((value, i) => off.has(i % maps) ? 0 : value);
    }
    outputs.push(values);
  }
  return outputs;
}

const pair = (value) => Array.isArray(value) ? value : [value, value];

function computeConvolution(layer, inputs) {
  const [height, width, maps] = layer.inputShape, [rows, columns, filters] = layer.outputShape;
  const [kernel, bias] = layer.weights.map(({values}) => values);
  const [kernelRows, kernelColumns] = pair(layer.row.kernel), [down, across] = pair(layer.row.stride);
  const same = layer.row.padding === "same";
  const top = same ? Math.max((rows - 1) * down + kernelRows - height, 0) >> 1 : 0;
  const left = same ? Math.max((columns - 1) * across + kernelColumns - width, 0) >> 1 : 0;
  const activate = ACTIVATIONS[layer.row.activation];
  const outputs = new Float32Array(rows * columns * filters), sums = new Float64Array(filters);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at += filters) {
      for (let f = 0; f < filters; f++) sums[f] = bias[f];
      for (let i = 0; i < kernelRows; i++) {
        const y = row * down + i - top;
        if (y < 0 || y >= height) continue;
        for (let j = 0; j < kernelColumns; j++) {
          const x = column * across + j - left;
          if (x < 0 || x >= width) continue;
          for (let map = 0; map < maps; map++) {
            const value = inputs[(y * width + x) * maps + map];
            if (value === 0) continue;
            const from = ((i * kernelColumns + j) * maps + map) * filters;
            for (let f = 0; f < filters; f++) sums[f] += value * kernel[from + f];
          }
        }
      }
      for (let f = 0; f < filters; f++) outputs[at + f] = activate(sums[f]);
    }
  }
  return outputs;
}

function computeTableConvolution(layer, inputs) {
  const [kernelRows, kernelColumns] = pair(layer.row.kernel), size = kernelRows * kernelColumns;
  const maps = layer.inputShape[2], {table} = layer.row, filters = table.length;
  const [stored, bias] = layer.weights;
  const kernel = new Float32Array(size * maps * filters);
  let from = 0;
  table.forEach((sources, target) => sources.forEach((source) => {
    for (let k = 0; k < size; k++) kernel[(k * maps + source) * filters + target] = stored.values[from++];
  }));
  return computeConvolution({...layer, weights: [{values: kernel}, bias]}, inputs);
}

function computeSubsampling(layer, inputs) {
  const [, width, maps] = layer.inputShape, [rows, columns, filters] = layer.outputShape;
  const [windowRows, windowColumns] = pair(layer.row.size), {multiplier} = layer.row;
  const [coefficients, biases] = layer.weights.map(({values}) => values);
  const activate = ACTIVATIONS[layer.row.activation];
  const outputs = new Float32Array(rows * columns * filters);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let f = 0; f < filters; f++, at++) {
        let sum = 0;
        for (let i = 0; i < windowRows; i++) {
          for (let j = 0; j < windowColumns; j++) {
            const y = row * windowRows + i, x = column * windowColumns + j;
            sum += inputs[(y * width + x) * maps + Math.floor(f / multiplier)];
          }
        }
        outputs[at] = activate(sum * coefficients[f] + biases[f]);
      }
    }
  }
  return outputs;
}

function computePooling(layer, inputs) {
  const [height, width, maps] = layer.inputShape, [rows, columns] = layer.outputShape;
  const [windowRows, windowColumns] = pair(layer.row.size);
  const [down, across] = pair(layer.row.stride ?? layer.row.size);
  const outputs = new Float32Array(rows * columns * maps);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let map = 0; map < maps; map++, at++) {
        const values = [];
        for (let y = row * down; y < Math.min(row * down + windowRows, height); y++) {
          for (let x = column * across; x < Math.min(column * across + windowColumns, width); x++) {
            values.push(inputs[(y * width + x) * maps + map]);
          }
        }
        outputs[at] = layer.row.pool === "max"
          ? Math.max(...values)
          : values.reduce((a, b) => a + b, 0) / values.length;
      }
    }
  }
  return outputs;
}

function computeDense(layer, inputs) {
  const units = layer.outputShape[0], [kernel, bias] = layer.weights.map(({values}) => values);
  const sums = Float64Array.from(bias);
  for (let i = 0; i < inputs.length; i++) {
    const value = inputs[i];
    for (let unit = 0; unit < units; unit++) sums[unit] += value * kernel[i * units + unit];
  }
  if (layer.row.activation === "softmax") return softmax(Float32Array.from(sums));
  return Float32Array.from(sums, ACTIVATIONS[layer.row.activation]);
}

function computeRbf(layer, inputs) {
  return Float32Array.from(layer.row.codes, (code) =>
    -code.reduce((sum, value, j) => sum + (inputs[j] - value) ** 2, 0));
}
