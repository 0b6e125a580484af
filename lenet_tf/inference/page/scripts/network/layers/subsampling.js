/** The trainable subsampling of 1998: the sum of a window times a coefficient plus a bias. */

import {getWindow, listTerms, locateWindow} from "#page/network/layers/windows.js";

export function computeSums(layer, inputs) {
  const [, width, maps] = layer.inputShape, [rows, columns, filters] = layer.outputShape;
  const window = getWindow(layer), {multiplier} = layer.row;
  const [coefficients, biases] = layer.weights.map(({values}) => values);
  const sums = new Float64Array(rows * columns * filters);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let filter = 0; filter < filters; filter++, at++) {
        const map = Math.floor(filter / multiplier);
        let sum = 0;
        for (let y = row * window.rows; y < (row + 1) * window.rows; y++) {
          const from = y * width + column * window.columns;
          for (let x = from; x < from + window.columns; x++) sum += inputs[x * maps + map];
        }
        sums[at] = sum * coefficients[filter] + biases[filter];
      }
    }
  }
  return sums;
}

export function backpropagate(layer, inputs, gradients) {
  const [coefficients] = layer.weights, result = new Float64Array(inputs.length);
  gradients.forEach((gradient, unit) => {
    const window = locateWindow(layer, unit);
    for (const {input} of listInputs(layer, inputs, window)) {
      result[input] += gradient * coefficients.values[window.map];
    }
  });
  return result;
}

export function explain(layer, inputs, unit) {
  const window = locateWindow(layer, unit);
  const [coefficient, bias] = layer.weights.map(({values}) => values[window.map]);
  const terms = listInputs(layer, inputs, window).map((term) => ({
    ...term, weight: coefficient, product: term.value * coefficient,
  }));
  return {terms, bias, coefficient};
}

function listInputs(layer, inputs, window) {
  const map = Math.floor(window.map / layer.row.multiplier);
  return listTerms(window, layer.inputShape, inputs, map);
}
