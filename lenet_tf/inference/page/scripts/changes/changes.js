/** Changes that break an image, and the values with which nothing changes. */

import {addNoise} from "#page/changes/noise.js";
import {shufflePixels} from "#page/changes/shuffle.js";
import {transformImage} from "#page/changes/transform.js";

/**
 * @typedef {object} Changes
 * @property {number} down pixels that the image is shifted down, negative for up
 * @property {number} right likewise
 * @property {number} degrees that it is turned clockwise
 * @property {number} scale factor of its size, above 0
 * @property {number} noise standard deviation of the noise that is added, in gray levels of 0…255
 * @property {number} noiseSeed a whole number that chooses the noise
 * @property {?{top: number, left: number, side: number}} occlusion square that is set to background
 * @property {boolean} shuffle whether the pixels change places, the same way for each image
 * @property {?number} bits that each weight keeps, 1 to 16; null keeps all of them
 * @property {Object<string, number[]>} disabled maps or units that are switched off, by layer name
 */

/** @type {Changes} */
export const NO_CHANGES = Object.freeze({
  down: 0, right: 0, degrees: 0, scale: 1, noise: 0, noiseSeed: 1, occlusion: null, shuffle: false,
  bits: null, disabled: Object.freeze({}),
});

/**
 * Change an image: shift, turn and scale it, add noise, shuffle it, and cover a square of it.
 *
 * @param {import("#page/store.js").RawImage} image
 * @param {Changes} changes
 * @returns {import("#page/store.js").RawImage} the same object if nothing changes
 */
export function applyChanges(image, changes) {
  const {down, right, degrees, scale, noise, noiseSeed, occlusion, shuffle} = changes;
  let changed = image;
  if (down || right || degrees % 360 || scale !== 1) {
    changed = transformImage(changed, {down, right, degrees, scale});
  }
  if (noise) changed = addNoise(changed, noise, noiseSeed);
  if (shuffle) changed = shufflePixels(changed);
  return occlusion?.side ? coverSquare(changed, occlusion) : changed;
}

/** @returns {boolean} whether any change has an effect on images, weights or maps. */
export function hasChanges(changes) {
  return hasImageChanges(changes) || changes.bits !== null
    || Object.values(changes.disabled).some((maps) => maps.length);
}

/** @returns {boolean} whether any change has an effect on images. */
export function hasImageChanges({down, right, degrees, scale, noise, occlusion, shuffle}) {
  return Boolean(down || right || degrees % 360 || scale !== 1 || noise || occlusion?.side
    || shuffle);
}

/**
 * Set a square of an image to background, as far as the square lies in it.
 *
 * @param {import("#page/store.js").RawImage} image
 * @param {{top: number, left: number, side: number}} square
 */
export function coverSquare(image, {top, left, side}) {
  const {height, width, channels} = image, pixels = image.pixels.slice();
  const first = Math.max(left, 0), last = Math.min(left + side, width);
  for (let row = Math.max(top, 0); row < Math.min(top + side, height); row++) {
    if (first < last) {
      pixels.fill(0, (row * width + first) * channels, (row * width + last) * channels);
    }
  }
  return {...image, pixels};
}
