/** Tables beside a sum: the largest contributions, the softmax, and every product. */

import {nameClasses} from "#page/network/network.js";
import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {findSource, layOut} from "#page/views/inside/layout.js";
import {nameUnit} from "#page/views/inside/names.js";
import {
  countChainDecimals, countDecimals, countSumDecimals, formatFixed, formatValue, splitLargest,
} from "#page/views/inside/numbers.js";

const LARGEST = 6;
const MOST_CLASSES = 20;
const MOST_TERMS = 2000;

const number = (content) => element("td", {class: "number", text: content});

function createTable(caption, heads, rows) {
  return element("table", {class: "sum-table"},
    element("caption", {text: caption}),
    element("thead", {}, element("tr", {}, ...heads.map((head, i) =>
      element("th", {scope: "col", class: i ? "number" : null, text: head})))),
    element("tbody", {}, ...rows));
}

const row = (head, cells, attributes = {}) => element("tr", attributes,
  element("th", {scope: "row", text: head}), ...cells.map(number));

/** @returns {function(object): string} names the input of a term. */
function createNaming(network, index) {
  const source = findSource(network, index), layout = layOut(network, source);
  const layer = network.layers[source];
  return ({input}) => input < 0
    ? text("insidePadding")
    : nameUnit(network, layer, layout, input);
}

const nameHeads = (kind) => kind === "rbf"
  ? ["insideInput", "insideValue", "insideCode", "insideSquare"].map((key) => text(key))
  : ["insideInput", "insideValue", "insideWeight", "insideProduct"].map((key) => text(key));

/** The largest products of a unit that is connected to many, the others together, and the bias. */
export function createContributions(network, index, {kind, terms, bias, sum}) {
  const name = createNaming(network, index);
  const parts = terms.map((term) => ({...term, amount: term.product}));
  const {largest, others, rest} = splitLargest(parts, LARGEST);
  const amounts = [...largest.map(({amount}) => amount), rest, bias];
  const decimals = countChainDecimals(amounts, sum);
  const format = (value) => formatFixed(value, decimals);
  const rows = largest.map((term) =>
    row(name(term), [format(term.value), format(term.weight), format(term.product)]));
  if (others.length) {
    rows.push(row(text("insideOthers", {count: others.length}), ["", "", format(rest)]));
  }
  if (kind !== "rbf") rows.push(row(text("insideBias"), ["", "", format(bias)]));
  rows.push(row(text("insideSum"), ["", "", `≈ ${format(sum)}`], {class: "total"}));
  return createTable(text("insideLargest"), nameHeads(kind), rows);
}

/** Every product of a sum; of very many, the first ones and the sum of the others. */
export function createFullList(network, index, {kind, terms}) {
  const name = createNaming(network, index);
  const shown = terms.slice(0, MOST_TERMS), others = terms.slice(MOST_TERMS);
  const decimals = countDecimals(shown.flatMap(({value, weight}) => [value, weight]), 6);
  const format = (value) => formatFixed(value, decimals);
  const rows = shown.map((term) =>
    row(name(term), [format(term.value), format(term.weight), format(term.product)]));
  if (others.length) {
    const rest = others.reduce((sum, {product}) => sum + product, 0);
    rows.push(row(text("insideOthers", {count: others.length}), ["", "", format(rest)]));
  }
  return createTable(text("insideAllTerms", {count: terms.length}), nameHeads(kind), rows);
}

/**
 * The softmax of all sums.
 *
 * @param {import("#page/network/network.js").Network} network
 * @param {number} unit that is looked at
 * @param {number[]} sums before the softmax, of all units
 * @param {string} caption key of a text
 */
export function createSoftmaxTable(network, unit, sums, caption = "insideSoftmaxTable") {
  const largest = Math.max(...sums), powers = sums.map((sum) => Math.exp(sum - largest));
  const total = powers.reduce((a, b) => a + b, 0), names = nameClasses(network);
  const decimals = countSumDecimals(sums);
  const shown = sums.map((_, i) => i).sort((a, b) => sums[b] - sums[a]).slice(0, MOST_CLASSES);
  if (!shown.includes(unit)) shown.push(unit);
  if (sums.length <= MOST_CLASSES) shown.sort((a, b) => a - b);
  const rows = shown.map((i) => row(names[i], [
    formatFixed(sums[i], decimals), formatValue(powers[i]), formatValue(powers[i] / total),
  ], {class: i === unit ? "current" : null, "aria-current": i === unit ? "true" : null}));
  rows.push(row(text("insideSum"), ["", `≈ ${formatFixed(total, 4)}`, ""], {class: "total"}));
  return createTable(text(caption, {largest: formatFixed(largest, decimals)}),
    [text("insideClass"), "z", "e^(z − max)", text("insideShare")], rows);
}
