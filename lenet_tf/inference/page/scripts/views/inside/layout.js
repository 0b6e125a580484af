/** How a layer's output is laid out: as maps, or as one grid of units that have no place. */

/**
 * @typedef {object} Layout
 * @property {number} maps how many maps are drawn; a strip and a color image are one
 * @property {number} height units of a map
 * @property {number} width units of a map
 * @property {number} count units of the whole output
 * @property {boolean} isStrip whether the units have no place in the image
 * @property {number} channels values of each unit that are drawn as one: 3 of a color image
 */

/** Rows that change nothing when a network is used. */
const NOTES = ["flatten", "dropout"];

/** @returns {boolean} whether a layer is only noted, not drawn. */
export function isNote(layer) {
  return NOTES.includes(layer.kind);
}

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {number} index of a layer
 * @returns {Layout}
 */
export function layOut(network, index) {
  const {kind, outputShape} = network.layers[index];
  const count = outputShape.reduce((product, side) => product * side, 1);
  const [height, width, maps] = outputShape;
  if (outputShape.length === 3 && height * width > 1) {
    const channels = kind === "input" && maps === 3 ? 3 : 1;
    return {maps: maps / channels, height, width, count, isStrip: false, channels};
  }
  const columns = countStripColumns(count, index === network.layers.length - 1);
  return {
    maps: 1, height: Math.ceil(count / columns), width: columns, count, isStrip: true, channels: 1,
  };
}

/** Outputs stand in one column beside their classes; 84 units are 7×12, as the codes are. */
function countStripColumns(count, isLast) {
  if (isLast && count <= 20) return 1;
  const root = Math.sqrt(count);
  for (let columns = Math.floor(root); columns > root / 1.7; columns--) {
    if (count % columns === 0) return columns;
  }
  return Math.ceil(root);
}

/** @returns {number[]} indexes of the layers that are drawn. */
export function listDrawnLayers(network) {
  return network.layers.filter((layer) => !isNote(layer)).map(({index}) => index);
}

/** @returns {number} the layer whose values a layer takes: flatten and dropout pass them on. */
export function findSource(network, index) {
  let source = index - 1;
  while (source > 0 && isNote(network.layers[source])) source--;
  return source;
}

/** @returns {{map: number, row: number, column: number}} where a unit is drawn. */
export function locate({maps, width, channels, isStrip}, unit) {
  if (isStrip) return {map: 0, row: Math.floor(unit / width), column: unit % width};
  const place = Math.floor(unit / (maps * channels));
  return {
    map: channels > 1 ? 0 : unit % maps,
    row: Math.floor(place / width),
    column: place % width,
  };
}

/** @returns {number} the unit that is drawn at a place, the nearest if there is none. */
export function findUnit({maps, height, width, count, isStrip, channels}, map, row, column) {
  const y = Math.min(Math.max(row, 0), height - 1), x = Math.min(Math.max(column, 0), width - 1);
  if (isStrip) return Math.min(y * width + x, count - 1);
  return (y * width + x) * maps * channels + map;
}

/** @returns {number} the unit in the middle of a map. */
export function findMiddle(layout, map) {
  return findUnit(layout, map, layout.height >> 1, layout.isStrip ? 0 : layout.width >> 1);
}

/** @returns {number} columns of a layer's maps in the figure: in one row, or where it wraps. */
export function countMapColumns({maps, width}, isWide) {
  const fitting = Math.max(1, Math.floor(360 / (Math.max(24, width * 4) + 2)));
  const root = Math.sqrt(maps);
  return Math.min(Math.max(1, isWide ? Math.ceil(root) : Math.floor(root)), fitting);
}

/** @returns {number[]} [height, width] of a kernel, a window or a stride. */
export function toPair(value) {
  return Array.isArray(value) ? value : [value, value];
}
