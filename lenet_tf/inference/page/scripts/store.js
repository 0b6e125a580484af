/** What the page shows, and what is computed from it. */

import {applyChanges, NO_CHANGES} from "#page/changes/changes.js";
import {applyWeightChanges} from "#page/changes/weights.js";
import {computeOutputs} from "#page/network/forward.js";
import {prepareImage} from "#page/network/prepare.js";
import {computeProbabilities, findLargest} from "#page/network/probabilities.js";

/**
 * @typedef {object} RawImage an image of the shape that the networks were trained on
 * @property {number} height
 * @property {number} width
 * @property {number} channels
 * @property {Uint8Array} pixels height × width × channels, 0 background … 255 ink
 */

/**
 * @typedef {object} State
 * @property {import("#page/network/network.js").Network} network as it was trained
 * @property {RawImage} image before any change; all 0 while nothing is drawn
 * @property {{kind: "empty" | "drawn" | "example" | "file", label: ?number, number: ?number,
 *   error: ?string, picture: ?ImageData, isFinished: boolean}} origin where the image comes from:
 *   the label and number of a test image; why a picture was refused; the drawing or picture that
 *   the image was made of; whether no stroke is being drawn
 * @property {object} changes see changes/changes.js
 * @property {?{layer: number, unit: number}} selection a layer's index and one of its units, a
 *   position in its output
 * @property {string} language "en" or "ko"
 * @property {string} theme "light" or "dark", as the page is shown; canvases are painted again
 * @property {RawImage} changedImage computed: the image after the changes
 * @property {import("#page/network/network.js").Network} changedNetwork computed: with rounded
 *   weights
 * @property {Float32Array[]} outputs computed: each layer's output; the first is the prepared image
 * @property {Float32Array} probabilities computed
 * @property {number} answer computed: the most probable class
 */

/** What is computed, from what, in this order. */
const COMPUTED = [
  ["changedImage", ["image", "changes"], (state) => applyChanges(state.image, state.changes)],
  ["changedNetwork", ["network", "changes"],
    (state) => applyWeightChanges(state.network, state.changes)],
  ["outputs", ["changedImage", "changedNetwork", "changes"], (state) => computeOutputs(
    state.changedNetwork,
    prepareImage(state.changedImage, state.network.preparation),
    {disabled: state.changes.disabled},
  )],
  ["probabilities", ["outputs"],
    (state) => computeProbabilities(state.network, state.outputs.at(-1))],
  ["answer", ["probabilities"], (state) => findLargest(state.probabilities)],
];

/**
 * Create the page's store.
 *
 * @param {import("#page/network/network.js").Network[]} networks at least one
 */
export function createStore(networks) {
  const listeners = [];
  const [height, width, channels = 1] = networks[0].imageShape;
  const state = {
    network: networks[0],
    image: createEmptyImage(height, width, channels),
    origin: {
      kind: "empty", label: null, number: null, error: null, picture: null, isFinished: true,
    },
    changes: NO_CHANGES,
    selection: null,
    language: "en",
    theme: "light",
  };
  compute(state, new Set(Object.keys(state)));
  return {
    networks,
    state,

    /** Change some of the state, compute what depends on it, and tell the listeners. */
    set(patch) {
      const changed = new Set(Object.keys(patch).filter((key) => state[key] !== patch[key]));
      if (!changed.size) return;
      Object.assign(state, patch);
      compute(state, changed);
      for (const {keys, listener} of listeners) {
        if (keys.some((key) => changed.has(key))) listener(state);
      }
    },

    /** Call a listener now, and after each change of one of some parts of the state. */
    watch(keys, listener) {
      listeners.push({keys, listener});
      listener(state);
    },
  };
}

/** @returns {RawImage} an image without ink. */
export function createEmptyImage(height, width, channels) {
  return {height, width, channels, pixels: new Uint8Array(height * width * channels)};
}

function compute(state, changed) {
  for (const [name, needs, run] of COMPUTED) {
    if (!needs.some((key) => changed.has(key))) continue;
    state[name] = run(state);
    changed.add(name);
  }
}
