/** The bitmaps of RBF outputs beside the units that are compared with them. */

import {nameClasses} from "#page/network/network.js";
import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {createTile} from "#page/views/inside/grids.js";
import {countDecimals, formatFixed} from "#page/views/inside/numbers.js";
import {createDivergingScale} from "#page/views/inside/painter.js";

/** Width of the codes: specs/rbf_codes.py. */
const WIDTH = 7;
const CELL = 6;

/**
 * @param {import("#page/network/network.js").Network} network that ends with an RBF row
 * @param {number} source the layer that is compared with the codes
 * @param {function({layer: number, unit: number}): void} choose
 * @returns {{root: HTMLElement, update: function(Float32Array[], boolean): void}}
 */
export function createCodes(network, source, choose) {
  const layer = network.layers.at(-1), {codes} = layer.row, names = nameClasses(network);
  const size = {columns: WIDTH, rows: Math.ceil(codes[0].length / WIDTH)};
  const units = createTile(size, CELL), tiles = codes.map(() => createTile(size, CELL));
  const values = codes.map(() => element("span", {class: "distance"}));
  const marks = codes.map(() => element("span", {class: "nearest"}));
  const buttons = codes.map((_, unit) => element("button", {
    type: "button", class: "code", click: () => choose({layer: layer.index, unit}),
  },
  element("strong", {text: names[unit]}), tiles[unit].root, values[unit], marks[unit]));
  const name = network.layers[source].name;
  const root = element("div", {class: "codes panel"},
    element("h3", {text: text("insideCodesHeading", {name})}),
    element("p", {class: "quiet small", text: text("insideCodesHint", {name})}),
    element("div", {class: "code-row"},
      element("div", {class: "code own"}, element("strong", {text: name}), units.root),
      ...buttons));
  return {
    root,
    update(outputs, isEmpty) {
      const scale = createDivergingScale(1.7159);
      const distances = Array.from(outputs.at(-1), (value) => -value);
      const nearest = distances.indexOf(Math.min(...distances));
      const decimals = countDecimals(distances);
      units.update(isEmpty ? new Float32Array(codes[0].length) : outputs[source], scale);
      tiles.forEach((tile, unit) => {
        tile.update(codes[unit], scale);
        const isNearest = !isEmpty && unit === nearest;
        values[unit].textContent = isEmpty ? "–" : formatFixed(distances[unit], decimals);
        marks[unit].textContent = isNearest ? text("insideNearest") : "";
        buttons[unit].classList.toggle("is-nearest", isNearest);
      });
    },
  };
}
