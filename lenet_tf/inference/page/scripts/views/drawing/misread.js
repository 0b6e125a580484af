/** Finds the test images that a network misreads. */

import {classify} from "#page/network/classify.js";
import {findLargest} from "#page/network/probabilities.js";
import {takeExample} from "#page/views/drawing/example-images.js";

/** Milliseconds of computing, and of rest between. */
const WORK = 8, REST = 30;

/**
 * Create a function that finds which test images a network misreads: some at a time, so that the
 * page stays quick.
 *
 * @param {object} examples
 * @returns {function(object, function(Map<number, number>): void, function(): boolean): void} takes
 *   a network, what is called with the answers to misread images by their index, and whether they
 *   are still wanted
 */
export function createMisreadFinder(examples) {
  const answers = new Map();
  return function find(network, found, isWanted) {
    if (!answers.has(network)) answers.set(network, []);
    const known = answers.get(network), end = performance.now() + WORK;
    while (known.length < examples.labels.length && performance.now() < end) {
      known.push(findLargest(classify(network, takeExample(examples, known.length))));
    }
    if (!isWanted()) return;
    if (known.length < examples.labels.length) {
      setTimeout(() => find(network, found, isWanted), REST);
      return;
    }
    const misread = known.map((read, index) => [index, read])
      .filter(([index, read]) => read !== examples.labels[index]);
    found(new Map(misread));
  };
}
