/** Stands in for network/explain.js and network/receptive-field.js until they are there. */

const pair = (value) => Array.isArray(value) ? value : [value, value];

function geometry(layer) {
  const {row, inputShape, outputShape} = layer;
  const size = pair(row.kernel ?? row.size), stride = pair(row.stride ?? (row.kernel ? 1 : row.size));
  const same = row.padding === "same";
  const before = [0, 1].map((axis) => same ? Math.max(
    (outputShape[axis] - 1) * stride[axis] + size[axis] - inputShape[axis], 0) >> 1 : 0);
  return {size, stride, before};
}

const SLIDING = ["convolution", "table_convolution", "subsampling", "pooling"];

function rawWindow(layer, unit) {
  const {size, stride, before} = geometry(layer), [, width, maps] = layer.outputShape;
  const place = Math.floor(unit / maps), row = Math.floor(place / width), column = place % width;
  const top = row * stride[0] - before[0], left = column * stride[1] - before[1];
  return {top, left, bottom: top + size[0], right: left + size[1]};
}

export function findInputWindow(layer, unit) {
  const [height, width] = layer.inputShape;
  if (!SLIDING.includes(layer.kind)) return {top: 0, left: 0, bottom: height, right: width ?? 1};
  const {top, left, bottom, right} = rawWindow(layer, unit);
  return {top: Math.max(top, 0), left: Math.max(left, 0),
    bottom: Math.min(bottom, height), right: Math.min(right, width)};
}

export function findReceptiveField(network, index, unit) {
  const [height, width] = network.layers[0].outputShape;
  let window = null;
  for (let i = index; i > 0; i--) {
    const layer = network.layers[i];
    if (!SLIDING.includes(layer.kind)) {
      if (["dense", "rbf", "flatten"].includes(layer.kind)) return {top: 0, left: 0, bottom: height, right: width};
      continue;
    }
    if (!window) { window = rawWindow(layer, unit); continue; }
    const {size, stride, before} = geometry(layer);
    window = {top: window.top * stride[0] - before[0], left: window.left * stride[1] - before[1],
      bottom: (window.bottom - 1) * stride[0] - before[0] + size[0],
      right: (window.right - 1) * stride[1] - before[1] + size[1]};
  }
  window ??= {top: Math.floor(unit / width), left: unit % width, bottom: Math.floor(unit / width) + 1, right: unit % width + 1};
  return {top: Math.max(window.top, 0), left: Math.max(window.left, 0),
    bottom: Math.min(window.bottom, height), right: Math.min(window.right, width)};
}

export function explainUnit(network, outputs, index, unit) {
  const layer = network.layers[index], {kind, row} = layer, inputs = outputs[index - 1];
  const output = outputs[index][unit];
  if (kind === "dense" || kind === "rbf") {
    const units = layer.outputShape[0];
    const terms = Array.from(inputs, (value, input) => {
      const weight = kind === "rbf" ? row.codes[unit][input] : layer.weights[0].values[input * units + unit];
      return {input, row: 0, column: input, map: 0, value, weight,
        product: kind === "rbf" ? (value - weight) ** 2 : value * weight};
    });
    const bias = kind === "rbf" ? 0 : layer.weights[1].values[unit];
    return {kind, terms, groups: [], bias, sum: terms.reduce((s, t) => s + t.product, bias), activation: row.activation ?? "linear", output};
  }
  const maps = layer.outputShape[2], map = unit % maps, inMaps = layer.inputShape[2];
  const {top, left, bottom, right} = rawWindow(layer, unit), [height, width] = layer.inputShape;
  const isConv = kind.endsWith("convolution");
  const sources = kind === "convolution" ? Array.from({length: inMaps}, (_, i) => i)
    : kind === "table_convolution" ? row.table[map] : [Math.floor(map / (row.multiplier ?? 1))];
  const first = kind === "table_convolution" ? row.table.slice(0, map).reduce((s, t) => s + t.length, 0) : 0;
  const terms = [];
  sources.forEach((source, s) => {
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) {
      const inside = y >= 0 && x >= 0 && y < height && x < width;
      const input = inside ? (y * width + x) * inMaps + source : -1;
      const k = (y - top) * (right - left) + x - left;
      const weight = !isConv ? (kind === "subsampling" ? layer.weights[0].values[map] : 1 / ((right - left) * (bottom - top))) : kind === "convolution" ? layer.weights[0].values[(k * inMaps + source) * maps + map]
        : layer.weights[0].values[(first + s) * (right - left) * (bottom - top) + k];
      const value = inside ? inputs[input] : 0;
      terms.push({input, row: y - top, column: x - left, map: source, value, weight, product: value * weight});
    }
  });
  const groups = sources.map((source) => ({map: source, sum: terms.filter((t) => t.map === source).reduce((s, t) => s + t.product, 0)}));
  if (row.pool === "max") {
    const best = Math.max(...terms.map((t) => t.value));
    const winner = terms.find((t) => t.value === best);
    for (const t of terms) { t.weight = t === winner ? 1 : 0; t.product = t.value * t.weight; }
  }
  const bias = isConv ? layer.weights[1].values[map] : kind === "subsampling" ? layer.weights[1].values[map] : 0;
  const coefficient = kind === "subsampling" ? layer.weights[0].values[map] : 1;
  return {kind, pool: row.pool, terms, groups, bias, coefficient,
    sum: groups.reduce((s, g) => s + g.sum, 0) + bias, activation: row.activation ?? "linear", output};
}
