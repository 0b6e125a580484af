/** Writes out how a unit gets its value. */

import {LAYERS} from "#page/network/layers/index.js";

/**
 * @typedef {object} Term
 * @property {number} input position in the previous layer's output; −1 is padding
 * @property {number} row in the window, from 0; 0 for layers without one
 * @property {number} column likewise
 * @property {number} map of the previous layer; the number of the unit if that is flat
 * @property {number} value of the input; 0 is padding
 * @property {number} weight that the value is multiplied with. Of a maximum or minimum it is 1 for
 *   the value that is taken, of stochastic pooling the probability of the value; for RBF units the
 *   code
 * @property {number} product value × weight; for RBF units (value − weight)²
 */

/**
 * @typedef {object} Explanation
 * @property {string} kind of the row; "input" has no terms
 * @property {Term[]} terms
 * @property {{map: number, sum: number}[]} groups of convolutions: the products summed by input map
 * @property {number} bias 0 where there is none; the offset of a batch normalization
 * @property {?number} coefficient of subsampling, the weight of all terms
 * @property {?string} pool of pooling: "max", "average", "min", "sum" or "stochastic"
 * @property {number} sum all products and the bias; for RBF units the paper's penalty
 * @property {string} activation that the sum passes through; "negative" for RBF units
 * @property {number} output of the unit as computed: 0 if it is switched off
 */

/**
 * Explain the output of a unit.
 *
 * @param {import("#page/network/network.js").Network} network
 * @param {Float32Array[]} outputs of all layers, from computeOutputs
 * @param {number} layerIndex
 * @param {number} unit position in the layer's output
 * @returns {Explanation}
 */
export function explainUnit(network, outputs, layerIndex, unit) {
  const layer = network.layers[layerIndex], output = outputs[layerIndex][unit];
  const explanation = {
    kind: layer.kind, terms: [], groups: [], bias: 0, coefficient: null, pool: null,
    activation: layer.kind === "rbf" ? "negative" : layer.row.activation ?? "linear",
  };
  if (layerIndex === 0) return {...explanation, sum: output, output};
  Object.assign(explanation, LAYERS[layer.kind].explain(layer, outputs[layerIndex - 1], unit));
  const sum = explanation.terms.reduce((total, {product}) => total + product, explanation.bias);
  return {...explanation, sum, output};
}
