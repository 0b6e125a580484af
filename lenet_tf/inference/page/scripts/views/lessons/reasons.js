/** Why LeNet-5 looks like this, with the numbers of the chosen network. */

import {text} from "#page/texts/index.js";
import {element, formatCount} from "#page/views/elements.js";
import {create} from "#page/views/trials/parts.js";

const CONVOLUTIONS = new Set(["convolution", "table_convolution"]);

/** @returns {HTMLElement} */
export function createReasons(store) {
  const root = element("div", {class: "reasons"});
  store.watch(["network", "language"], ({network}) => {
    root.replaceChildren(...listReasons(network).map(({name, key, values}) =>
      element("div", {class: "panel", id: `reason-${name}`},
        create("h4", `reason ${name}`),
        element("p", {text: text(key, values)}),
        create("a", "reasonLink", {href: "#see", class: "small"}))));
  });
  return root;
}

/**
 * Collect what can be said about a network.
 *
 * @param {import("#page/network/network.js").Network} network
 * @returns {{name: string, key: string, values: object}[]} `key` is that of a text with `values`
 */
export function listReasons({layers}) {
  const convolutions = layers.filter(({kind}) => CONVOLUTIONS.has(kind));
  const [first] = convolutions;
  const pool = layers.find(({kind}) => kind === "subsampling" || kind === "pooling");
  // The paper's C3: the convolution that takes the maps of the first subsampling.
  const second = pool && convolutions.find(({index}) => index > pool.index);
  const output = layers.at(-1), reasons = [];
  const tell = (name, key, values) => reasons.push({name, key, values});
  if (first) {
    const last = layers.filter(({outputShape}) => outputShape.length === 3).at(-1);
    tell("fields", "reasonFields", {
      layer: first.name, field: first.receptiveField.join(" × "), last: last.name,
      lastField: last.receptiveField.join(" × "),
    });
    tell("sharing", "reasonSharing", {
      layer: first.name, weights: formatCount(first.parameters),
      connections: formatCount(first.connections),
    });
  }
  if (pool) {
    tell("subsampling", "reasonSubsampling", {
      layer: pool.name, before: pool.inputShape.slice(0, 2).join(" × "),
      after: pool.outputShape.slice(0, 2).join(" × "),
    });
  }
  if (second) tellOfConnections(second, tell);
  tell("output", output.kind === "rbf" ? "reasonCodes" : "reasonSoftmax",
    {layer: output.name, classes: output.outputShape[0], inputs: output.inputShape[0]});
  return reasons;
}

function tellOfConnections(layer, tell) {
  const maps = layer.inputShape[2], filters = layer.outputShape[2], {table} = layer.row;
  const values = {
    layer: layer.name, maps, filters, weights: formatCount(layer.parameters),
  };
  if (!table) return tell("table", "reasonAllMaps", values);
  const links = table.reduce((sum, sources) => sum + sources.length, 0);
  const full = filters + (layer.parameters - filters) / links * maps * filters;
  tell("table", "reasonTable", {...values, links, all: maps * filters, full: formatCount(full)});
}
