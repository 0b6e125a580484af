/** Rounds the weights of networks. */

/** Kinds of rows whose first array is rounded: kernels, and the coefficients of 1998. */
const ROUNDED = new Set(["convolution", "table_convolution", "dense", "subsampling"]);
/** @type {WeakMap<object, Map<number, object>>} rounded networks by network and bits */
const kept = new WeakMap();

/**
 * Round a network's weights as its changes say. Biases, batch normalization and RBF codes stay.
 *
 * @param {import("#page/network/network.js").Network} network
 * @param {import("#page/changes/changes.js").Changes} changes
 * @returns {import("#page/network/network.js").Network} the same object for the same bits
 */
export function applyWeightChanges(network, {bits}) {
  if (bits === null) return network;
  if (!kept.has(network)) kept.set(network, new Map());
  const rounded = kept.get(network);
  if (!rounded.has(bits)) rounded.set(bits, roundNetwork(network, bits));
  return rounded.get(bits);
}

function roundNetwork(network, bits) {
  const layers = network.layers.map((layer) => {
    if (!ROUNDED.has(layer.kind)) return layer;
    const [{shape, values}, ...others] = layer.weights;
    return {...layer, weights: [{shape, values: roundWeights(values, bits)}, ...others]};
  });
  return {...network, layers};
}

/**
 * Round weights to numbers of a few bits: to the nearest multiples of one step, of which the
 * largest absolute weight is 2^(bits − 1) − 1 steps. With one bit a weight keeps its sign only,
 * times the mean of all absolute weights.
 *
 * @param {Float32Array} values all weights of one array
 * @param {number} bits 1 to 16
 * @returns {Float32Array}
 */
export function roundWeights(values, bits) {
  const sizes = values.map(Math.abs);
  if (bits === 1) {
    const mean = sizes.reduce((sum, size) => sum + size, 0) / values.length;
    return values.map((value) => value < 0 ? -mean : mean);
  }
  const step = sizes.reduce((a, b) => Math.max(a, b), 0) / (2 ** (bits - 1) - 1);
  return step === 0
    ? values
    : values.map((value) => Math.sign(value) * Math.round(Math.abs(value) / step) * step);
}
