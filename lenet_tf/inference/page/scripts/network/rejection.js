/** Tells digits from other things by a second network: lenet_tf/inference/rejection.py. */

import {computeOutputs} from "#page/network/forward.js";
import {prepareImage} from "#page/network/prepare.js";
import {computeProbabilities, findLargest} from "#page/network/probabilities.js";

/** The class of other things, after those of the ten digits. */
const NOT_A_DIGIT = 10;
const SMALLEST = 1e-12;

/**
 * Score how little an image looks like the digit that another network sees in it.
 *
 * @param {import("#page/network/network.js").Network} detector
 * @param {import("#page/store.js").RawImage} image prepared like MNIST's
 * @param {?number} answer the digit that the other network sees; null: that this one sees
 * @returns {number} the negative logarithm of the digit's probability here, from 0
 */
export function scoreDigit(detector, image, answer) {
  const outputs = computeOutputs(detector, prepareImage(image, detector.preparation));
  const probabilities = computeProbabilities(detector, outputs.at(-1));
  const digit = answer ?? findLargest(probabilities.subarray(0, NOT_A_DIGIT));
  return -Math.log(Math.max(probabilities[digit], SMALLEST));
}

/**
 * @param {import("#page/network/network.js").Network} detector
 * @param {number[]} thresholds of the detector; the first is for one digit in a picture
 * @param {import("#page/store.js").RawImage} image prepared like MNIST's
 * @param {?number} answer as for scoreDigit
 * @returns {boolean} whether the image shows a digit
 */
export function isDigit(detector, thresholds, image, answer) {
  return scoreDigit(detector, image, answer) <= thresholds[0];
}
