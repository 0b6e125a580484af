/** Batch normalization after training: each map times a factor plus an offset. */

/** Keras' default, which no row changes. */
const EPSILON = 1e-3;

export function computeSums(layer, inputs) {
  const {factors, offsets} = computeFactors(layer), maps = factors.length;
  const sums = new Float64Array(inputs.length);
  for (let i = 0; i < inputs.length; i++) {
    sums[i] = inputs[i] * factors[i % maps] + offsets[i % maps];
  }
  return sums;
}

export function backpropagate(layer, inputs, gradients) {
  const {factors} = computeFactors(layer);
  return gradients.map((gradient, i) => gradient * factors[i % factors.length]);
}

export function explain(layer, inputs, unit) {
  const {factors, offsets} = computeFactors(layer), map = unit % factors.length;
  const value = inputs[unit], weight = factors[map];
  return {
    terms: [{input: unit, row: 0, column: 0, map, value, weight, product: value * weight}],
    bias: offsets[map],
  };
}

function computeFactors(layer) {
  const [gamma, beta, mean, variance] = layer.weights.map(({values}) => values);
  const factors = Float64Array.from(gamma, (scale, i) => scale / Math.sqrt(variance[i] + EPSILON));
  return {factors, offsets: factors.map((factor, i) => beta[i] - mean[i] * factor)};
}
