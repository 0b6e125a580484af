/** Finds how much each input pixel changes a class's score. */

import {LAYERS} from "#page/network/layers/index.js";
import {computeShares, differentiate} from "#page/network/activations.js";
import {switchOff} from "#page/network/forward.js";

/**
 * Compute the derivatives of a class's output with respect to the prepared image.
 *
 * Of a softmax they are those of the logarithm, as in lenet_tf.evaluation.inspection.saliency:
 * the probability of a confident answer hardly changes.
 *
 * @param {import("#page/network/network.js").Network} network
 * @param {Float32Array[]} outputs of all layers, from computeOutputs
 * @param {number} classIndex
 * @param {{disabled?: Object<string, number[]>}} options as for computeOutputs
 * @returns {Float32Array} (height, width, channels): where one is positive, more ink supports the
 *   class
 */
export function computeSaliency(network, outputs, classIndex, {disabled = {}} = {}) {
  let gradients = null;
  for (const layer of network.layers.slice(1).reverse()) {
    const {computeSums, backpropagate} = LAYERS[layer.kind], inputs = outputs[layer.index - 1];
    const sums = computeSums(layer, inputs);
    const activation = layer.row.activation ?? "linear", maps = layer.outputShape.at(-1);
    if (gradients) {
      switchOff(layer, disabled, gradients);
      gradients = differentiate(activation, sums, maps, gradients);
    } else {
      gradients = startGradients(activation, sums, classIndex);
    }
    gradients = backpropagate(layer, inputs, gradients);
  }
  return Float32Array.from(gradients);
}

/** Return the derivatives of the class's score with respect to the sums of the last layer. */
function startGradients(activation, sums, classIndex) {
  const gradients = new Float64Array(sums.length);
  gradients[classIndex] = 1;
  if (activation !== "softmax") return differentiate(activation, sums, sums.length, gradients);
  // 1 − p of a confident answer would lose its digits: it is the sum of the other probabilities.
  gradients[classIndex] = 0;
  computeShares(sums).forEach((share, i) => {
    if (i === classIndex) return;
    gradients[i] = -share;
    gradients[classIndex] += share;
  });
  return gradients;
}
