/** What layers, maps, units and connections are called. */

import {nameClasses} from "#page/network/network.js";
import {text} from "#page/texts/index.js";
import {findSource, isNote, locate, toPair} from "#page/views/inside/layout.js";

/** @returns {string} such as "feature maps 6@28×28", as figure 2 of the 1998 paper labels them. */
export function describeShape(layer, layout) {
  if (layout.isStrip) return text("insideUnits", {count: layout.count});
  const size = `${layout.height}×${layout.width}`;
  if (layer.kind === "input") return layout.channels > 1 ? `${size}×${layout.channels}` : size;
  return text("insideMaps", {count: layout.maps, size});
}

/** @returns {string} such as "C3, map 2 (of 0–15)", or "F6". */
export function nameMap(layer, layout, map) {
  if (layout.isStrip || layout.maps === 1) return layer.name;
  return text("insideMapName", {layer: layer.name, map, last: layout.maps - 1});
}

/** @returns {string} such as "C3 map 2", or a color of the input. */
export function nameSource(layer, layout, map) {
  if (map === null) return layer.name;
  return layout.channels > 1
    ? text(`insideChannel_${map}`, {layer: layer.name})
    : text("insideShortMap", {layer: layer.name, map});
}

/** @returns {string} such as "C3, map 2, row 4, column 5". */
export function nameUnit(network, layer, layout, unit) {
  if (layout.isStrip) {
    if (layer === network.layers.at(-1)) {
      return text("insideClassName", {layer: layer.name, name: nameClasses(network)[unit]});
    }
    return text("insideUnitName", {layer: layer.name, unit});
  }
  const {map, row, column} = locate(layout, unit);
  const key = layout.maps === 1 ? "insidePixelName" : "insidePlaceName";
  return text(key, {layer: layer.name, map, row, column});
}

/** @returns {string} what lies between a layer and the one before it, as in figure 2. */
export function describeConnections(layer) {
  const {kind, row} = layer;
  const size = (value) => toPair(value).join("×");
  if (kind === "convolution" || kind === "table_convolution") {
    const [height, width] = layer.outputShape;
    if (height * width === 1 && kind === "convolution") return text("insideFull");
    return text("insideConvolutions", {size: size(row.kernel)});
  }
  if (kind === "subsampling") return text("insideSubsampling", {size: size(row.size)});
  if (kind === "pooling") {
    return text("insidePooling", {pool: text(`insidePool_${row.pool}`), size: size(row.size)});
  }
  if (kind === "global_average_pooling") return text("insideGlobal");
  if (kind === "dense") return text("insideFull");
  if (kind === "rbf") return text("insideGaussian");
  if (kind === "batch_normalization") return text("insideNormalization");
  return kind;
}

/** @returns {string[]} notes on the rows between a layer and its source. */
export function describeNotes(network, index) {
  return network.layers.slice(findSource(network, index) + 1, index).filter(isNote)
    .map((layer) => layer.kind === "dropout"
      ? text("insideDropout", {name: layer.name})
      : text("insideFlatten", {
        shape: layer.inputShape.join("×"), count: layer.outputShape[0],
      }));
}

/** @returns {string} an activation of a number as a formula. */
export function formatActivation(name, z) {
  const formulas = {
    tanh: `tanh(${z})`,
    scaled_tanh: `1.7159 · tanh(2/3 · ${z.startsWith("−") ? `(${z})` : z})`,
    relu: `max(0, ${z})`,
    sigmoid: `1 / (1 + e^−(${z}))`,
  };
  return formulas[name] ?? `${name}(${z})`;
}
