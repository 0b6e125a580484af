/** Changes that break an image, and the values with which nothing changes. */

/**
 * @typedef {object} Changes
 * @property {number} down pixels that the image is shifted down, negative for up
 * @property {number} right likewise
 * @property {number} degrees that it is turned clockwise
 * @property {number} scale factor of its size
 * @property {number} noise standard deviation of the noise that is added, in gray levels of 0…255
 * @property {?{top: number, left: number, side: number}} occlusion square that is set to background
 * @property {boolean} shuffle whether the pixels change places, the same way for each image
 * @property {?number} bits that each weight keeps; null keeps all of them
 * @property {Object<string, number[]>} disabled maps or units that are switched off, by layer name
 */

/** @type {Changes} */
export const NO_CHANGES = Object.freeze({
  down: 0, right: 0, degrees: 0, scale: 1, noise: 0, occlusion: null, shuffle: false, bits: null,
  disabled: Object.freeze({}),
});

/**
 * @param {import("#page/store.js").RawImage} image
 * @param {Changes} changes
 * @returns {import("#page/store.js").RawImage}
 */
export function applyChanges(image, changes) {
  return image;
}
