/** Draws all layers in the order of figure 2 of the 1998 paper, to one scale. */

import {nameClasses} from "#page/network/network.js";
import {text} from "#page/texts/index.js";
import {element, formatCount} from "#page/views/elements.js";
import {countMapColumns, layOut, listDrawnLayers} from "#page/views/inside/layout.js";
import {createMap, findMapOfEvent, findUnitOfEvent} from "#page/views/inside/map.js";
import {describeConnections, describeNotes, describeShape, nameMap}
  from "#page/views/inside/names.js";
import {moveRoving} from "#page/views/inside/roving.js";

/**
 * @typedef {object} DrawnLayer
 * @property {import("#page/network/network.js").Layer} layer
 * @property {import("#page/views/inside/layout.js").Layout} layout
 * @property {HTMLElement} root
 * @property {HTMLElement} box holds the maps
 * @property {object[]} maps see map.js
 * @property {HTMLElement} limit says the end of the color scale
 * @property {?HTMLElement} names of the classes, beside outputs in one column
 */

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {object} handlers `hover` and `choose` take {layer, unit} or {layer, map}, `choose` also
 *   {byKey, open}; `move` takes a layer and a keyboard event
 * @returns {{root: HTMLElement, drawn: Map<number, DrawnLayer>}}
 */
export function createFigure(network, handlers) {
  const drawn = new Map();
  const root = element("div", {
    class: "figure", role: "group", "aria-label": text("insideFigure", {name: network.name}),
    pointerleave: () => handlers.hover(null),
  });
  for (const index of listDrawnLayers(network)) {
    if (index > 0) root.append(createConnections(network, index));
    const one = createLayer(network, index, handlers);
    drawn.set(index, one);
    root.append(one.root);
  }
  return {root, drawn};
}

function createConnections(network, index) {
  return element("div", {class: "flow"},
    element("span", {class: "arrow", "aria-hidden": "true", text: "→"}),
    element("span", {text: describeConnections(network.layers[index])}),
    ...describeNotes(network, index).map((note) => element("span", {class: "note", text: note})));
}

function createLayer(network, index, handlers) {
  const layer = network.layers[index], layout = layOut(network, index);
  const isOutput = layout.width === 1 && index === network.layers.length - 1;
  const maps = Array.from({length: layout.maps}, (_, map) =>
    createMap(layout, nameMap(layer, layout, map), map === 0));
  const box = element("div", {
    class: "maps", role: "group", "aria-label": layer.name,
  }, ...maps.map(({button}) => button));
  box.style.setProperty("--in-row", countMapColumns(layout, false));
  box.style.setProperty("--wrapped", countMapColumns(layout, true));
  box.style.setProperty("--width", layout.isStrip ? 1 : layout.width);
  const limit = element("div", {class: "limit"});
  const names = isOutput ? createClassNames(network) : null;
  const root = element("div", {
    class: `layer${layout.isStrip ? " strip" : ""}${isOutput ? " output" : ""}`,
    dataset: {layer: layer.name},
  },
  element("div", {class: "maps-row"}, box, ...names ? [names] : []),
  element("div", {class: "label"},
    element("strong", {text: layer.name}),
    element("span", {text: describeShape(layer, layout)}),
    limit,
    createCounts(layer)));
  const one = {layer, layout, root, box, maps, limit, names};
  listen(one, handlers);
  return one;
}

function createClassNames(network) {
  return element("div", {class: "classes", "aria-hidden": "true"},
    ...nameClasses(network).map((name) => element("span", {text: name})));
}

function createCounts({kind, parameters, connections}) {
  const counts = element("div", {class: "counts"});
  if (kind === "input") return counts;
  counts.append(
    element("div", {text: text("insideParameters", {count: formatCount(parameters)})}),
    element("div", {text: text("insideConnections", {count: formatCount(connections)})}));
  return counts;
}

/** Pointing and focus show a unit, a click or Enter chooses it, arrow keys move among the maps. */
function listen({layer, layout, box, maps}, handlers) {
  const index = layer.index;
  const find = (event) => {
    const map = findMapOfEvent(event, maps);
    return map < 0 ? null : {layer: index, unit: findUnitOfEvent(event, layout, maps[map], map)};
  };
  box.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const found = find(event);
    if (found) handlers.hover(found);
  });
  box.addEventListener("focusin", (event) => {
    const map = findMapOfEvent(event, maps);
    if (map >= 0 && event.target.matches(":focus-visible")) handlers.hover({layer: index, map});
  });
  box.addEventListener("focusout", () => handlers.hover(null));
  box.addEventListener("click", (event) => {
    const map = findMapOfEvent(event, maps);
    if (map < 0) return;
    const byKey = event.detail === 0;
    handlers.choose(byKey ? {layer: index, map} : find(event), {byKey, open: byKey});
  });
  box.addEventListener("keydown", (event) => {
    if (layout.maps === 1) {
      if (handlers.move(index, event)) event.preventDefault();
      return;
    }
    const map = moveRoving(maps.map(({button}) => button), event, countColumns(box));
    if (map !== null) handlers.choose({layer: index, map}, {byKey: true, open: false});
  });
}

/** @returns {number} how many maps stand in the first row. */
function countColumns({children}) {
  const [{offsetTop: top}] = children;
  return [...children].filter(({offsetTop}) => offsetTop === top).length;
}
