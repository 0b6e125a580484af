/** The test images as the store's images. */

import {classify} from "#page/network/classify.js";

/** The class of the test image that the page shows first. */
const FIRST_CLASS = 5;

/** @returns {import("#page/store.js").RawImage} one of the test images. */
export function takeExample({images: {shape, values}}, index) {
  const [, height, width, channels = 1] = shape, size = height * width * channels;
  return {height, width, channels, pixels: values.subarray(index * size, (index + 1) * size)};
}

/** @returns {number} a test image that all networks read, to be seen first. */
export function findFirstExample({networks}, {examples}) {
  const wanted = Math.min(FIRST_CLASS, Math.max(...examples.labels));
  let best = 0, most = -1;
  examples.labels.forEach((label, index) => {
    if (label !== wanted) return;
    const image = takeExample(examples, index);
    const least = Math.min(...networks.map((network) => classify(network, image)[label]));
    if (least > most) [best, most] = [index, least];
  });
  return best;
}
