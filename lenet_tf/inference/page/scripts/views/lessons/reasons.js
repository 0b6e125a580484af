/** Why LeNet-5 looks like this, with the numbers of the chosen network. */

import {text} from "#page/texts/index.js";
import {element, formatCount} from "#page/views/elements.js";
import {formatActivation} from "#page/views/inside/names.js";
import {create} from "#page/views/trials/parts.js";

const CONVOLUTIONS = new Set(["convolution", "table_convolution"]);

/** @returns {HTMLElement} */
export function createReasons(store) {
  const root = element("div", {class: "reasons"});
  store.watch(["network", "language"], ({network}) => {
    root.replaceChildren(...listReasons(network).map(({name, key, layer, values}) =>
      element("div", {class: "panel", id: `reason-${name}`},
        create("h4", `reason ${name}`),
        element("p", {text: text(key, {layer: layer.name, ...values})}),
        create("a", "reasonLink", {
          href: "#see", class: "small", click: () => store.set({selection: selectMiddle(layer)}),
        }))));
  });
  return root;
}

/** @returns {{layer: number, unit: number}} the unit in the middle of a layer's first map. */
function selectMiddle({index, outputShape}) {
  if (outputShape.length === 1) return {layer: index, unit: 0};
  const [height, width, maps] = outputShape;
  return {layer: index, unit: ((height >> 1) * width + (width >> 1)) * maps};
}

/**
 * Collect what can be said about a network.
 *
 * @param {import("#page/network/network.js").Network} network
 * @returns {{name: string, key: string, layer: object, values: object}[]} `key` is that of a text
 *   with `values` and the layer's name
 */
export function listReasons({layers}) {
  const convolutions = layers.filter(({kind}) => CONVOLUTIONS.has(kind));
  const [first] = convolutions;
  const pool = layers.find(({kind}) => kind === "subsampling" || kind === "pooling");
  // The paper's C3: the convolution that takes the maps of the first subsampling.
  const second = pool && convolutions.find(({index}) => index > pool.index);
  const output = layers.at(-1), reasons = [];
  const tell = (name, key, layer, values) => reasons.push({name, key, layer, values});
  if (first) {
    const last = layers.filter(({outputShape}) => outputShape.length === 3).at(-1);
    tell("fields", "reasonFields", first, {
      field: first.receptiveField.join(" × "), last: last.name,
      lastField: last.receptiveField.join(" × "),
    });
    tell("sharing", "reasonSharing", first, {
      weights: formatCount(first.parameters), connections: formatCount(first.connections),
    });
  }
  if (pool) {
    tell("subsampling", "reasonSubsampling", pool, {
      before: pool.inputShape.slice(0, 2).join(" × "),
      after: pool.outputShape.slice(0, 2).join(" × "),
    });
  }
  if (second) tellOfConnections(second, tell);
  if (first) tellOfActivation(first, tell);
  tell("output", output.kind === "rbf" ? "reasonCodes" : "reasonSoftmax", output,
    {classes: output.outputShape[0], inputs: output.inputShape[0]});
  return reasons;
}

function tellOfActivation(layer, tell) {
  const activation = layer.row.activation ?? "linear";
  if (activation === "scaled_tanh") tell("activation", "reasonSquashing", layer, {});
  else if (activation !== "linear") {
    const values = {activation: formatActivation(activation, "z")};
    tell("activation", "reasonActivation", layer, values);
  }
}

function tellOfConnections(layer, tell) {
  const maps = layer.inputShape[2], filters = layer.outputShape[2], {table} = layer.row;
  const values = {maps, filters, weights: formatCount(layer.parameters)};
  if (!table) return tell("table", "reasonAllMaps", layer, values);
  const links = table.reduce((sum, sources) => sum + sources.length, 0);
  const full = filters + (layer.parameters - filters) / links * maps * filters;
  tell("table", "reasonTable", layer,
    {...values, links, all: maps * filters, full: formatCount(full)});
}
