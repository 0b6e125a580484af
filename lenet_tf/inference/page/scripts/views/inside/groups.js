/** The terms of a unit's sum, grouped by input map and laid out as these maps are. */

import {findSource, layOut, locate} from "#page/views/inside/layout.js";

const BY_WINDOW = [
  "convolution", "table_convolution", "subsampling", "pooling", "global_average_pooling",
];

/**
 * @typedef {object} Group
 * @property {?number} map of the source layer, or null if its units have no place
 * @property {number} rows of the window
 * @property {number} columns of the window
 * @property {object[]} cells rows × columns terms, in order; see network/explain.js
 * @property {number} sum of the products
 */

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {number} index of the unit's layer
 * @param {object[]} terms
 * @returns {Group[]} in order of the maps
 */
export function groupTerms(network, index, terms) {
  if (!terms.length) return [];
  const layout = layOut(network, findSource(network, index));
  const byWindow = BY_WINDOW.includes(network.layers[index].kind);
  const isPlaced = !layout.isStrip || byWindow;
  const groups = new Map();
  for (const term of terms) {
    const place = byWindow || terms.length === 1
      ? {map: term.map, row: term.row, column: term.column}
      : locateInput(layout, term.input);
    if (!groups.has(place.map)) groups.set(place.map, []);
    groups.get(place.map).push({term, ...place});
  }
  return [...groups].sort(([a], [b]) => a - b)
    .map(([map, placed]) => toGroup(isPlaced && layout.maps * layout.channels > 1 ? map : null,
      placed));
}

/** A color image has three maps here, although it is drawn as one. */
function locateInput(layout, input) {
  if (layout.channels === 1) return locate(layout, input);
  return {...locate(layout, input), map: input % layout.channels};
}

function toGroup(map, placed) {
  const top = Math.min(...placed.map(({row}) => row));
  const left = Math.min(...placed.map(({column}) => column));
  const rows = Math.max(...placed.map(({row}) => row)) - top + 1;
  const columns = Math.max(...placed.map(({column}) => column)) - left + 1;
  const cells = new Array(rows * columns).fill(null);
  let sum = 0;
  for (const {term, row, column} of placed) {
    cells[(row - top) * columns + column - left] = term;
    sum += term.product;
  }
  return {map, rows, columns, cells, sum};
}

/** @returns {Float32Array} one number of each cell; NaN where a strip has no unit. */
export function collect({cells}, field) {
  return Float32Array.from(cells, (term) => term ? term[field] : NaN);
}
