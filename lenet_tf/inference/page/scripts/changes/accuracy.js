/** Counts correct answers on the page's test images, in slices that leave the page responsive. */

import {applyChanges} from "#page/changes/changes.js";
import {applyWeightChanges} from "#page/changes/weights.js";
import {computeOutputs} from "#page/network/forward.js";
import {prepareImage} from "#page/network/prepare.js";
import {findLargest} from "#page/network/probabilities.js";

/**
 * Count correct answers under changes. Each image gets noise of its own.
 *
 * @param {import("#page/network/network.js").Network} network
 * @param {{images: {shape: number[], values: Uint8Array}, labels: number[]}} examples
 * @param {import("#page/changes/changes.js").Changes} changes
 * @yields {number} correct answers so far, after each image
 */
export function* countCorrect(network, {images, labels}, changes) {
  const [count, height, width, channels] = images.shape, size = height * width * channels;
  const changedNetwork = applyWeightChanges(network, changes);
  let correct = 0;
  for (let i = 0; i < count; i++) {
    const pixels = images.values.subarray(i * size, (i + 1) * size);
    const image = applyChanges({height, width, channels, pixels},
      {...changes, noiseSeed: changes.noiseSeed * count + i});
    const outputs = computeOutputs(changedNetwork, prepareImage(image, network.preparation),
      {disabled: changes.disabled});
    correct += findLargest(outputs.at(-1)) === labels[i];
    yield correct;
  }
}

/**
 * Run a generator a few milliseconds at a time.
 *
 * @param {Iterator} steps
 * @param {function(*): void} finish is called with the last value
 * @returns {function(): void} stops it
 */
export function runInSlices(steps, finish, milliseconds = 6) {
  let timer = null, last;
  const work = () => {
    const until = performance.now() + milliseconds;
    do {
      const {done, value} = steps.next();
      if (done) return finish(last);
      last = value;
    } while (performance.now() < until);
    timer = setTimeout(work);
  };
  timer = setTimeout(work);
  return () => clearTimeout(timer);
}
