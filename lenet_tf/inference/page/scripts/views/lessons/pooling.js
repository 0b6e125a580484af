/** Five ways of pooling, side by side on the same numbers. */

import {text} from "#page/texts/index.js";
import {createSlider, element, formatNumber} from "#page/views/elements.js";
import {
  countPlaces, drawSeven, listCells, poolPicture, replaceAt,
} from "#page/views/lessons/arithmetic.js";
import {createNumberGrid, formatTerm} from "#page/views/lessons/number-grid.js";
import {createPlayer} from "#page/views/lessons/player.js";
import {create} from "#page/views/trials/parts.js";

const POOLS = ["max", "average", "min", "sum", "subsampling"];
const SIDE = 6, MAP_SIDE = 8;
const NUMBERS = drawSeven(SIDE).map((value, i) => value && 9 - i % 4 || i * 7 % 3);
const CONVOLUTIONS = new Set(["convolution", "table_convolution"]);

/** @returns {HTMLElement} */
export function createPoolingLesson(store) {
  const lesson = {
    source: "numbers", values: NUMBERS, window: 2, stride: 2, coefficient: 0.1, bias: 0, place: 0,
  };
  const view = createView(lesson, (patch) => {
    Object.assign(lesson, patch);
    if ("source" in patch) {
      if (lesson.source === "numbers") lesson.values = NUMBERS;
      Object.assign(lesson, findTrained(store.state.network, lesson.source));
      readMap(lesson, store.state);
    }
    view.show();
  });
  store.watch(["network", "language"], ({network}) => {
    if (!view.listSources(network, lesson.source)) {
      Object.assign(lesson, {source: "numbers", values: NUMBERS});
    }
    view.show();
  });
  store.watch(["theme"], () => view.show());
  store.watch(["outputs"], (state) => {
    if (lesson.source === "numbers") return;
    readMap(lesson, state);
    view.show();
  });
  return view.root;
}

const findConvolution = ({layers}) =>
  layers.find(({kind, outputShape}) => CONVOLUTIONS.has(kind) && outputShape[0] >= MAP_SIDE);

/** @returns {object} the trained coefficient and bias that subsample a map, if there are any. */
function findTrained(network, source) {
  const next = network.layers[findConvolution(network)?.index + 1];
  if (source === "numbers" || next?.kind !== "subsampling") return {};
  const map = Number(source) * next.row.multiplier;
  const [coefficient, bias] = next.weights.map(({values}) => values[map]);
  return {coefficient, bias};
}

/** Read the middle of a map of the first convolution. */
function readMap(lesson, {network, outputs}) {
  const layer = findConvolution(network);
  if (lesson.source === "numbers" || !layer) return;
  const [height, width, maps] = layer.outputShape, map = Number(lesson.source);
  const top = (height - MAP_SIDE) >> 1, left = (width - MAP_SIDE) >> 1;
  lesson.values = Array.from({length: MAP_SIDE ** 2}, (_, i) => {
    const row = top + Math.floor(i / MAP_SIDE), column = left + i % MAP_SIDE;
    return outputs[layer.index][(row * width + column) * maps + map];
  });
}

function createView(lesson, change) {
  const select = element("select", {id: "pooling-source", change: () =>
    change({source: select.value})});
  const sliders = Object.fromEntries([
    ["window", "lessonWindow", 1, 4, 1], ["stride", "lessonStride", 1, 4, 1],
    ["coefficient", "poolCoefficient", -2, 2, 0.01], ["bias", "poolBias", -2, 2, 0.01],
  ].map(([name, label, min, max, step]) => [name, createSlider({
    id: `pooling-${name}`, label, min, max, step, value: lesson[name],
    format: (value) => formatNumber(value), change: (value) => change({[name]: value}),
  })]));
  const picture = createNumberGrid({
    id: "pooling-picture",
    edit: (index, value) => change({values: replaceAt(lesson.values, index, value)}),
  });
  const grids = POOLS.map((pool) =>
    [pool, createNumberGrid({id: `pooling-${pool}`, pick: (place) => change({place})})]);
  const player = createPlayer({
    id: "pooling-place", label: "windowPlace", count: 9,
    format: (place) => `${place + 1} / ${countPlaces(findWindows(lesson)) ** 2}`,
    change: (place) => change({place}),
  });
  const formula = element("p", {class: "formula", id: "pooling-formula"});
  const root = element("div", {},
    element("div", {class: "lesson-controls"}, element("div", {class: "lesson-choice"},
      create("label", "lessonPicture", {for: "pooling-source"}), select),
    ...Object.values(sliders)),
    element("div", {class: "lesson-body"},
      element("div", {class: "grids"}, picture, ...grids.map(([, grid]) => grid)),
      element("div", {class: "lesson-side"}, player, formula)));
  const show = () => {
    player.describe();
    for (const [name, slider] of Object.entries(sliders)) slider.show(lesson[name]);
    select.value = lesson.source;
    lesson.place = player.show(lesson.place, countPlaces(findWindows(lesson)) ** 2);
    showGrids(lesson, picture, grids);
    formula.textContent = writeTerms(lesson);
  };
  return {root, show, listSources: (network, source) => listSources(select, network, source)};
}

const findWindows = ({values, window, stride}) =>
  ({size: Math.sqrt(values.length), window, stride});

function showGrids(lesson, picture, grids) {
  const {values, place} = lesson, windows = findWindows(lesson), side = countPlaces(windows);
  const marked = new Set(listCells(values, windows, place).map(({index}) => index));
  picture.show(values, {
    digits: lesson.source === "numbers" ? 3 : 2,
    caption: text("gridPicture", {side: windows.size}), isMarked: (index) => marked.has(index),
  });
  const pooled = poolPicture(values, windows, lesson);
  for (const [pool, grid] of grids) {
    grid.show(pooled[pool], {
      caption: text(`pool ${pool}`, {side}), isMarked: (index) => index === place,
    });
  }
}

/** Fill the choice of numbers; false if the chosen one is gone. */
function listSources(select, network, source) {
  const layer = findConvolution(network), maps = layer?.outputShape[2] ?? 0;
  select.replaceChildren(
    element("option", {value: "numbers", text: text("sourceNumbers")}),
    ...Array.from({length: maps}, (_, map) => element("option", {
      value: map, text: text("sourceMap", {layer: layer.name, map, side: MAP_SIDE}),
    })));
  return source === "numbers" || Number(source) < maps;
}

/** Write the five results of the window. */
function writeTerms(lesson) {
  const windows = findWindows(lesson), {coefficient, bias, values, place} = lesson;
  const cells = listCells(values, windows, place).map(({value}) => formatNumber(value));
  const pooled = poolPicture(values, windows, lesson);
  const result = Object.fromEntries(POOLS.map((pool) => [pool, formatNumber(pooled[pool][place])]));
  return text("poolTerms", {
    ...result, cells: cells.join(", "), count: cells.length, coefficient: formatTerm(coefficient),
    bias: formatTerm(bias), term: formatTerm(pooled.sum[place]),
  });
}
