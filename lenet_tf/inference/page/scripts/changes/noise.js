/** Adds noise to images. */

import {drawNormals} from "#page/changes/random.js";

/** How many seeds' numbers are kept, so that a slider only scales them. */
const MAX_KEPT = 256;
const kept = new Map();

/**
 * Add normally distributed noise and clip to 0…255.
 *
 * @param {import("#page/store.js").RawImage} image
 * @param {number} deviation standard deviation in gray levels
 * @param {number} seed
 * @returns {import("#page/store.js").RawImage}
 */
export function addNoise(image, deviation, seed) {
  const normals = findNormals(seed, image.pixels.length);
  // Values of a Uint8ClampedArray are rounded and clipped.
  const noisy = Uint8ClampedArray.from(image.pixels, (value, i) => value + deviation * normals[i]);
  return {...image, pixels: new Uint8Array(noisy.buffer)};
}

function findNormals(seed, length) {
  const key = `${seed}/${length}`;
  if (!kept.has(key)) {
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, drawNormals(seed, length));
  }
  return kept.get(key);
}
