/** Computes the output of every layer. */

import {LAYERS} from "#page/network/layers/index.js";
import {activate} from "#page/network/activations.js";

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
    const sums = LAYERS[layer.kind].computeSums(layer, outputs.at(-1));
    const values = activate(layer.row.activation ?? "linear", sums, layer.outputShape.at(-1));
    switchOff(layer, disabled, values);
    outputs.push(values);
  }
  return outputs;
}

/**
 * Set the values of a layer's maps or units that are switched off to 0.
 *
 * @param {import("#page/network/network.js").Layer} layer
 * @param {Object<string, number[]>} disabled by the layer's name
 * @param {Float32Array | Float64Array} values of the layer's output, changed in place
 */
export function switchOff(layer, disabled, values) {
  const maps = layer.outputShape.at(-1);
  for (const map of disabled[layer.name] ?? []) {
    for (let i = map; i < values.length; i += maps) values[i] = 0;
  }
}
