/** Computes a network's class probabilities of an image. */

import {computeOutputs} from "#page/network/forward.js";
import {prepareImage} from "#page/network/prepare.js";
import {computeProbabilities} from "#page/network/probabilities.js";

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {import("#page/store.js").RawImage} image
 * @param {{disabled?: Object<string, number[]>}} options as for computeOutputs
 * @returns {Float32Array}
 */
export function classify(network, image, options = {}) {
  const outputs = computeOutputs(network, prepareImage(image, network.preparation), options);
  return computeProbabilities(network, outputs.at(-1));
}
