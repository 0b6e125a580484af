/** The sum that makes a unit's value, written out. */

import {ACTIVATIONS} from "#page/network/activations.js";
import {text} from "#page/texts/index.js";
import {formatActivation} from "#page/views/inside/names.js";
import {
  countChainDecimals, countFactorDecimals, countSumDecimals, formatFactor, formatFixed, formatSum,
  formatValue, splitLargest,
} from "#page/views/inside/numbers.js";

/** How many parts of a sum are written out. */
const MAX_PARTS = 8;

/**
 * @param {object} explanation see network/explain.js
 * @param {import("#page/views/inside/groups.js").Group[]} groups
 * @param {string} normalization of the network's input, see network/prepare.js
 * @returns {string[]} the steps from the inputs to the output, with numbers that add up as shown
 */
export function writeFormulas(explanation, groups, normalization) {
  const write = WRITERS[explanation.kind] ?? writeWeightedSum;
  return write(explanation, groups, normalization);
}

const WRITERS = {
  input: writeInput,
  subsampling: writeSubsampling,
  pooling: writePooling,
  global_average_pooling: writeAverage,
  rbf: writeDistance,
  batch_normalization: writeNormalization,
};

/** @returns {function(number): string} formats all numbers of a sum alike. */
function show(values) {
  const decimals = countSumDecimals(values);
  return (value) => formatFixed(value, decimals);
}

/** Write how a pixel of 0…255 becomes the value: network/prepare.js. */
function writeInput({output}, groups, normalization) {
  const [toPixel, scaling] = {
    unit: [(value) => value, ""],
    unit_twice: [(value) => 255 * value, " / 255"],
    lecun1998: [(value) => (value + 0.1) / 1.275, " × 1.275 − 0.1"],
  }[normalization];
  const pixel = Math.round(255 * toPixel(output));
  return [text("insideInputValue", {
    pixel, formula: `${pixel} / 255${scaling} ≈ ${formatValue(output)}`,
  })];
}

function writeWeightedSum({bias, sum, activation, output}, groups) {
  const sums = groups.map((group) => group.sum), products = sum - bias;
  const decimals = countChainDecimals([...sums, products, bias], sum);
  const number = (value) => formatFixed(value, decimals);
  const lines = [];
  if (groups.length > 1) lines.push(writeParts(groups, products, decimals));
  const key = groups.length > 1 ? "insideSumsAndBias" : "insideProductsAndBias";
  lines.push(text(key, {
    terms: formatSum([products, bias], decimals), sum: number(sum),
  }));
  return [...lines, ...writeActivation(activation, sum, output, decimals)];
}

/** Write the sum over the input maps: each one, or the largest and the rest. */
function writeParts(groups, products, decimals) {
  const total = formatFixed(products, decimals);
  if (groups.length <= 2 * MAX_PARTS) {
    const terms = formatSum(groups.map(({sum}) => sum), decimals);
    return text("insideMapSums", {terms, sum: total});
  }
  const parts = groups.map(({map, sum}) => ({map, amount: sum}));
  const {largest, others, rest} = splitLargest(parts, MAX_PARTS);
  return text("insideLargestSums", {
    terms: formatSum([...largest.map(({amount}) => amount), rest], decimals),
    maps: largest.map(({map}) => map).join(", "),
    others: others.length,
    sum: total,
  });
}

function writeActivation(activation, z, output, decimals) {
  if (activation === "softmax") return [text("insideSoftmax", {value: formatValue(output)})];
  const value = ACTIVATIONS[activation](z);
  const number = (each) => formatFixed(each, Math.max(decimals, countSumDecimals([value])));
  const result = value === 0 ? "= 0" : `≈ ${number(value)}`;
  const lines = activation === "linear"
    ? [text("insideLinear", {value: number(value)})]
    : [`${formatActivation(activation, formatFixed(z, decimals))} ${result}`];
  if (Math.abs(value - output) > 1e-3 * Math.max(1, Math.abs(value))) {
    lines.push(text("insideOff", {value: number(output)}));
  }
  return lines;
}

const listValues = (groups) => groups.flatMap(({cells}) => cells)
  .filter((term) => term && term.input >= 0).map(({value}) => value);

function writeSubsampling({coefficient, bias, sum, activation, output}, groups) {
  const values = listValues(groups), total = values.reduce((a, b) => a + b, 0);
  const decimals = countChainDecimals([...values, total, coefficient, bias], sum);
  const number = (value) => formatFixed(value, decimals);
  return [
    text("insideWindowSum", {terms: formatSum(values, decimals), sum: number(total)}),
    text("insideCoefficient", {
      terms: writeProduct(coefficient, total, bias, decimals), sum: number(sum),
    }),
    ...writeActivation(activation, sum, output, decimals),
  ];
}

/** Write factor × value + offset, with digits enough for the result's. */
function writeProduct(factor, value, offset, decimals) {
  const product = `${formatFactor(factor, countFactorDecimals(decimals, value))} × `
    + formatFactor(value, countFactorDecimals(decimals, factor));
  return product + formatSum([0, offset], decimals).replace(/^[\d.]+/, "");
}

function writePooling({pool, output}, groups) {
  const values = listValues(groups), decimals = countSumDecimals([...values, output]);
  const number = (value) => formatFixed(value, decimals);
  const list = values.map(number).join(", "), sum = formatSum(values, decimals);
  const value = number(output), count = values.length;
  return [{
    max: `max(${list}) ≈ ${value}`,
    min: `min(${list}) ≈ ${value}`,
    sum: `${sum} ≈ ${value}`,
    average: `(${sum}) / ${count} ≈ ${value}`,
    stochastic: `Σx² / Σx = (${values.map((each) => `${number(Math.max(each, 0))}²`).join(" + ")}) `
      + `/ (${values.map((each) => number(Math.max(each, 0))).join(" + ")}) ≈ ${value}`,
  }[pool]];
}

function writeAverage({output}, groups) {
  const values = listValues(groups), total = values.reduce((a, b) => a + b, 0);
  const number = show([total, output]);
  return [text("insideAverage", {
    count: values.length, total: number(total), value: number(output),
  })];
}

function writeDistance({sum, output}) {
  const number = show([sum]);
  return [
    text("insideDistance", {sum: number(sum)}),
    text("insideNegative", {value: number(output)}),
  ];
}

function writeNormalization({terms, bias, output}) {
  const [{value, weight}] = terms, decimals = countChainDecimals([value, weight, bias], output);
  return [text("insideNormalizationSum", {
    terms: writeProduct(value, weight, bias, decimals), result: formatFixed(output, decimals),
  })];
}
