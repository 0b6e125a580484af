/** Class probabilities from a network's outputs. */

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {Float32Array} outputs of its last layer
 * @returns {Float32Array} a softmax network's outputs as they are, else their softmax. For the RBF
 *   outputs of 1998 that is the paper's posterior (section II.C)
 */
export function computeProbabilities(network, outputs) {
  return network.layers.at(-1).row.activation === "softmax" ? outputs : softmax(outputs);
}

/** @returns {Float32Array} */
export function softmax(values) {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Float32Array.from(values, (value) => Math.exp(value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** @returns {number} the position of the largest value, the first of equal ones. */
export function findLargest(values) {
  let largest = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[largest]) largest = i;
  return largest;
}
