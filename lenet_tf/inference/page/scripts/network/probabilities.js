/** Class probabilities from a network's outputs. */

import {softmax} from "#page/network/activations.js";

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {Float32Array} outputs of its last layer
 * @returns {Float32Array} a softmax network's outputs as they are, else their softmax. For the RBF
 *   outputs of 1998 that is the paper's posterior (section II.C)
 */
export function computeProbabilities(network, outputs) {
  return network.layers.at(-1).row.activation === "softmax" ? outputs : softmax(outputs);
}

/** @returns {number} the position of the largest value, the first of equal ones. */
export function findLargest(values) {
  let largest = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[largest]) largest = i;
  return largest;
}

export {softmax};
