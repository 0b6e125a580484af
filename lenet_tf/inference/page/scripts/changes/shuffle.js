/** Lets the pixels of images change places, always in the same way. */

import {drawPermutation} from "#page/changes/random.js";

const SEED = 1998;
const orders = new Map();

/**
 * Shuffle an image's pixels.
 *
 * @param {import("#page/store.js").RawImage} image
 * @returns {import("#page/store.js").RawImage} whose pixel i is the image's pixel findOrder(…)[i]
 */
export function shufflePixels(image) {
  const {height, width, channels, pixels} = image, order = findOrder(height * width);
  const shuffled = new Uint8Array(pixels.length);
  for (let i = 0; i < order.length; i++) {
    for (let channel = 0; channel < channels; channel++) {
      shuffled[i * channels + channel] = pixels[order[i] * channels + channel];
    }
  }
  return {...image, pixels: shuffled};
}

/** @returns {Int32Array} the one order that all images of a number of pixels are shuffled to. */
export function findOrder(pixels) {
  if (!orders.has(pixels)) orders.set(pixels, drawPermutation(SEED, pixels));
  return orders.get(pixels);
}
