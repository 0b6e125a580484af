/** Which input maps a table convolution takes, as table I of the 1998 paper prints it. */

import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {moveRoving, setRoving} from "#page/views/inside/roving.js";

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {number} index of the table convolution
 * @param {number} source the layer whose maps it takes
 * @param {function({layer: number, map: number, group?: number}): void} choose
 * @returns {{root: HTMLElement, update: function({layer: number, map: number}): void}}
 */
export function createConnectionTable(network, index, source, choose) {
  const {name, row: {table}, inputShape: [, , inputs]} = network.layers[index];
  const from = network.layers[source].name;
  const heads = table.map((_, map) => createHead(`${name}, ${map}`, map,
    () => choose({layer: index, map})));
  const sides = Array.from({length: inputs}, (_, map) => createHead(`${from}, ${map}`, map,
    () => choose({layer: source, map})));
  const cells = sides.map((_, input) => table.map((maps, map) => element("td", {
    text: maps.includes(input) ? "X" : "",
    click: () => choose({layer: index, map, group: maps.indexOf(input)}),
  })));
  const root = element("div", {class: "connection-table panel"},
    element("h3", {text: text("insideTableHeading", {name, from})}),
    element("p", {class: "quiet small", text: text("insideTableHint", {
      name, from, count: table.reduce((sum, maps) => sum + maps.length, 0),
      source: network.variant.startsWith("lenet5-1998") ? text("insideTableSource") : "",
    })}),
    element("div", {class: "scroll", tabindex: 0, role: "group",
      "aria-label": text("insideTableHeading", {name, from})},
    element("table", {},
      element("thead", {}, element("tr", {}, element("td"),
        ...heads.map((button) => element("th", {scope: "col"}, button)))),
      element("tbody", {}, ...cells.map((row, input) =>
        element("tr", {}, element("th", {scope: "row"}, sides[input]), ...row))))));
  listen(heads, heads.length);
  listen(sides, 1);
  return {
    root,
    update({layer, map}) {
      heads.forEach((head, i) => light(head.parentNode, layer === index && map === i));
      sides.forEach((side, i) => light(side.parentNode, layer === source && map === i));
      cells.forEach((row, input) => row.forEach((cell, i) => light(cell,
        layer === index ? map === i : layer === source && map === input)));
    },
  };
}

const light = (cell, isLit) => cell.classList.toggle("lit", isLit);

function createHead(label, map, click) {
  return element("button", {
    type: "button", "aria-label": label, tabindex: map === 0 ? 0 : -1, text: map, click,
  });
}

function listen(buttons, columns) {
  for (const button of buttons) {
    button.addEventListener("keydown", (event) => moveRoving(buttons, event, columns));
    button.addEventListener("focus", () => setRoving(buttons, buttons.indexOf(button)));
  }
}
