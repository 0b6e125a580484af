/** Poolings, and the mean of whole maps; padding never counts as an input. */

import {
  clipWindow, getWindow, listTerms, locateWindow, toImageShape,
} from "#page/network/layers/windows.js";

const add = (values, count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  return sum;
};

/** @returns {number} the position of the first of the largest values times a sign. */
const findExtreme = (values, count, sign) => {
  let found = 0;
  for (let i = 1; i < count; i++) if (sign * values[i] > sign * values[found]) found = i;
  return found;
};

/** Σx and Σx² of the positive values: stochastic pooling gives Σx²/Σx. */
const addPowers = (values, count) => {
  let sum = 0, squares = 0;
  for (let i = 0; i < count; i++) {
    const value = Math.max(values[i], 0);
    sum += value;
    squares += value * value;
  }
  return [sum, squares];
};

/**
 * By the name of the pool: the output of some values, the weight of each (the output is the sum of
 * value × weight), and the derivatives with respect to the values where these are not the weights.
 */
const POOLS = {
  max: {
    compute: (values, count) => values[findExtreme(values, count, 1)],
    weigh: (values, count) => mark(findExtreme(values, count, 1), count),
  },
  min: {
    compute: (values, count) => values[findExtreme(values, count, -1)],
    weigh: (values, count) => mark(findExtreme(values, count, -1), count),
  },
  sum: {compute: add, weigh: (values, count) => new Float64Array(count).fill(1)},
  average: {
    compute: (values, count) => add(values, count) / count,
    weigh: (values, count) => new Float64Array(count).fill(1 / count),
  },
  stochastic: {
    compute(values, count) {
      const [sum, squares] = addPowers(values, count);
      return sum ? squares / sum : 0;
    },
    weigh(values, count) {
      const [sum] = addPowers(values, count);
      return Float64Array.from({length: count}, (_, i) => sum && Math.max(values[i], 0) / sum);
    },
    differentiate(values, count) {
      const [sum, squares] = addPowers(values, count);
      return Float64Array.from({length: count}, (_, i) =>
        values[i] > 0 ? (2 * values[i] - squares / sum) / sum : 0);
    },
  },
};

/** @returns {string} the name of the pool. */
const getPool = (layer) => layer.row.pool ?? "average";

const mark = (position, count) => {
  const marks = new Float64Array(count);
  marks[position] = 1;
  return marks;
};

export function computeSums(layer, inputs) {
  const [height, width, maps] = layer.inputShape;
  const [rows, columns] = toImageShape(layer.outputShape);
  const window = getWindow(layer), {compute} = POOLS[getPool(layer)];
  const outputs = new Float32Array(rows * columns * maps);
  const values = new Float64Array(window.rows * window.columns);
  for (let row = 0, at = 0; row < rows; row++) {
    const top = row * window.down - window.top;
    const first = Math.max(top, 0), last = Math.min(top + window.rows, height);
    for (let column = 0; column < columns; column++) {
      const left = column * window.across - window.left;
      const from = Math.max(left, 0), to = Math.min(left + window.columns, width);
      for (let map = 0; map < maps; map++, at++) {
        let count = 0;
        for (let y = first; y < last; y++) {
          for (let x = from; x < to; x++) values[count++] = inputs[(y * width + x) * maps + map];
        }
        outputs[at] = compute(values, count);
      }
    }
  }
  return outputs;
}

export function backpropagate(layer, inputs, gradients) {
  const pool = POOLS[getPool(layer)], slopesOf = pool.differentiate ?? pool.weigh;
  const result = new Float64Array(inputs.length);
  gradients.forEach((gradient, unit) => {
    if (!gradient) return;
    const terms = listInputs(layer, inputs, unit);
    const slopes = slopesOf(terms.map(({value}) => value), terms.length);
    terms.forEach(({input}, i) => { result[input] += gradient * slopes[i]; });
  });
  return result;
}

export function explain(layer, inputs, unit) {
  const pool = getPool(layer), terms = listInputs(layer, inputs, unit);
  const weights = POOLS[pool].weigh(terms.map(({value}) => value), terms.length);
  return {
    pool,
    terms: terms.map((term, i) => (
      {...term, weight: weights[i], product: term.value * weights[i]}
    )),
  };
}

/** List what a unit pools: padding is left out. */
function listInputs(layer, inputs, unit) {
  const window = locateWindow(layer, unit), part = clipWindow(window, layer.inputShape);
  const down = part.top - window.top, right = part.left - window.left;
  return listTerms(part, layer.inputShape, inputs, window.map).map((term) => ({
    ...term, row: term.row + down, column: term.column + right,
  }));
}
