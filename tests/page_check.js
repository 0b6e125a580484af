/** Compares the page's numbers with those of Keras: see page_networks.py. */

import {unpackArrays} from "#page/data.js";
import {ACTIVATIONS, activate} from "#page/network/activations.js";
import {explainUnit} from "#page/network/explain.js";
import {computeOutputs} from "#page/network/forward.js";
import {loadNetwork} from "#page/network/network.js";
import {prepareImage} from "#page/network/prepare.js";
import {computeProbabilities, findLargest} from "#page/network/probabilities.js";
import {computeSaliency} from "#page/network/saliency.js";

/** Images that are timed together: browsers make their clocks coarse. */
const BATCH = 20;
/** Units of each layer that are explained, from the first to the last. */
const UNITS = 7;

/**
 * Check one network.
 *
 * @param {object} data from build_check
 * @returns {Promise<object>} the largest errors, relative where a value exceeds 1, of the layers by
 *   name, of explained sums and of saliency maps (relative to their largest value); how many of
 *   the answers differ; milliseconds for an image, the least mean of 20 images
 */
export async function checkNetwork(data) {
  const network = await loadNetwork(data.network), images = await readImages(data);
  const expected = await unpackArrays(data.outputs), [saliency] = await unpackArrays(data.saliency);
  const layers = Object.fromEntries(network.layers.map(({name}) => [name, 0]));
  let explained = 0, gradient = 0;
  for (let i = 0; i < expected[0].shape[0]; i++) {
    const outputs = computeOutputs(network, prepareImage(images[i], network.preparation));
    network.layers.forEach(({name}, index) => {
      const error = findError(outputs[index], getPart(expected[index], i));
      layers[name] = keepWorse(layers[name], error);
    });
    const map = computeSaliency(network, outputs, findLargest(outputs.at(-1)));
    gradient = keepWorse(gradient, findRelativeError(map, getPart(saliency, i)));
    if (i < 2) explained = keepWorse(explained, findExplanationError(network, outputs));
  }
  const {answers, milliseconds} = answerAll(network, images);
  return {
    name: network.name,
    layers,
    explained,
    saliency: gradient,
    different: answers.filter((answer, i) => answer !== data.answers[i]).length,
    milliseconds,
  };
}

async function readImages(data) {
  const [{shape: [, height, width, channels], values}] = await unpackArrays(data.images);
  const size = height * width * channels;
  return Array.from({length: values.length / size}, (_, i) => (
    {height, width, channels, pixels: values.subarray(i * size, (i + 1) * size)}
  ));
}

function getPart({shape, values}, i) {
  const size = values.length / shape[0];
  return values.subarray(i * size, (i + 1) * size);
}

/** NaN is worse than any number. */
function keepWorse(one, other) {
  return one >= other ? one : other;
}

function findError(actual, expected) {
  if (actual.length !== expected.length) return NaN;
  return actual.reduce((worst, value, i) =>
    keepWorse(worst, Math.abs(value - expected[i]) / Math.max(1, Math.abs(expected[i]))), 0);
}

function findRelativeError(actual, expected) {
  if (actual.length !== expected.length) return NaN;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-10);
  return actual.reduce((worst, value, i) =>
    keepWorse(worst, Math.abs(value - expected[i]) / largest), 0);
}

/** Compare explanations of UNITS units of each layer with its outputs. */
function findExplanationError(network, outputs) {
  let worst = 0;
  for (const {index} of network.layers) {
    const last = outputs[index].length - 1;
    for (let k = 0; k < UNITS; k++) {
      const unit = Math.round(k * last / (UNITS - 1));
      worst = keepWorse(worst, checkExplanation(network, outputs, index, unit));
    }
  }
  return worst;
}

/** Compare products and groups with the sum, this with the output, the values with the inputs. */
function checkExplanation(network, outputs, index, unit) {
  const {sum, groups, bias, terms, output} = explainUnit(network, outputs, index, unit);
  const add = (values) => values.reduce((one, other) => one + other, bias);
  const pairs = [
    [computeOutput(network, outputs, index, unit), outputs[index][unit]],
    [output, outputs[index][unit]],
  ];
  if (index > 0) pairs.push([add(terms.map(({product}) => product)), sum]);
  if (groups.length) pairs.push([add(groups.map((group) => group.sum)), sum]);
  for (const {input, map, value} of terms) {
    const maps = network.layers[index].inputShape.at(-1);
    pairs.push([input < 0 ? 0 : outputs[index - 1][input], value]);
    if (input >= 0) pairs.push([input % maps, map]);
  }
  return Math.max(...pairs.map(([actual, expected]) => findError([actual], [expected])));
}

function computeOutput(network, outputs, index, unit) {
  const {activation, sum} = explainUnit(network, outputs, index, unit);
  if (activation === "negative") return -sum;
  if (activation !== "softmax") return ACTIVATIONS[activation](sum);
  const maps = network.layers[index].outputShape.at(-1), map = unit % maps;
  const sums = Float64Array.from({length: maps}, (_, i) =>
    explainUnit(network, outputs, index, unit - map + i).sum);
  return activate("softmax", sums, maps)[map];
}

function answerAll(network, images) {
  const answers = [];
  let milliseconds = Infinity;
  for (let from = 0; from < images.length; from += BATCH) {
    const start = performance.now();
    for (const image of images.slice(from, from + BATCH)) {
      const outputs = computeOutputs(network, prepareImage(image, network.preparation));
      answers.push(findLargest(computeProbabilities(network, outputs.at(-1))));
    }
    milliseconds = Math.min(milliseconds, (performance.now() - start) / BATCH);
  }
  return {answers, milliseconds};
}
