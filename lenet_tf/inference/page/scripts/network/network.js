/** A trained network as the page uses it. */

import {unpackArrays} from "#page/data.js";

/**
 * @typedef {object} Layer
 * @property {number} index position in the network, from 0 (the input row)
 * @property {string} name such as "C1"
 * @property {string} kind kind of its row, such as "convolution"
 * @property {object} row fields of the row, as in TOML (snake_case)
 * @property {number[]} inputShape [height, width, maps] or [units]
 * @property {number[]} outputShape likewise
 * @property {number} parameters
 * @property {number} connections
 * @property {number} multiplyAdds
 * @property {[number, number]} receptiveField pixels that one unit sees, [height, width]
 * @property {{shape: number[], values: Float32Array}[]} weights in Keras' order and shapes
 */

/**
 * @typedef {object} Network
 * @property {string} name
 * @property {string} title
 * @property {string} variant name of its spec
 * @property {string} data name of the data set that it was trained on
 * @property {object} preparation see network/prepare.js
 * @property {number[]} imageShape [height, width(, channels)] of a raw image
 * @property {string[]} classNames empty for digits
 * @property {number} parameters
 * @property {?{errors, images, error, low, high}} test
 * @property {?{name, mean, sd, seeds}} row the row of the results table that a preset is a seed of
 * @property {string} preset its name; empty for another network
 * @property {boolean} isPreset
 * @property {boolean} rejects whether the detector knows its images
 * @property {string} pictureInput "digit" or "picture"
 * @property {string} dataTitle the data set as people write it; empty if it is unknown
 * @property {?string} dataLicense
 * @property {?string} recipe in words
 * @property {string} precision "float32", or that in which it was trained
 * @property {object} versions of the packages that trained it
 * @property {Layer[]} layers
 */

/**
 * Load a network from the page's data.
 *
 * @param {object} data what network_data.py wrote
 * @returns {Promise<Network>}
 */
export async function loadNetwork(data) {
  const arrays = await unpackArrays(data.weights);
  let next = 0;
  const layers = data.layers.map((layer, index) => {
    const weights = arrays.slice(next, next + layer.arrays);
    next += layer.arrays;
    return {...layer, index, weights};
  });
  return {...data, layers};
}

/** @returns {number} how many values a layer puts out. */
export function countUnits(layer) {
  return layer.outputShape.reduce((product, side) => product * side, 1);
}

/** @returns {string[]} the name of each class. */
export function nameClasses(network) {
  const count = countUnits(network.layers.at(-1));
  return network.classNames.length
    ? network.classNames
    : Array.from({length: count}, (_, number) => String(number));
}
