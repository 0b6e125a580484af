/** Convolution arithmetic: a kernel slides over a small picture. */

import {text} from "#page/texts/index.js";
import {createSlider, element, formatNumber} from "#page/views/elements.js";
import {
  correlate, countPlaces, createKernel, drawSeven, findPadding, listCells, replaceAt, shrinkImage,
} from "#page/views/lessons/arithmetic.js";
import {createChoice} from "#page/views/lessons/choice.js";
import {createNumberGrid, formatTerm} from "#page/views/lessons/number-grid.js";
import {createPlayer} from "#page/views/lessons/player.js";
import {say} from "#page/views/trials/parts.js";

/** @returns {HTMLElement} */
export function createConvolutionLesson(store) {
  const lesson = {
    size: 7, window: 3, stride: 1, mode: "valid", amount: 1, source: "seven", kernelName: "edge",
    values: drawSeven(7), kernel: createKernel("edge", 3), place: 0,
  };
  const view = createView(lesson, (patch) => {
    Object.assign(lesson, patch);
    if ("size" in patch || "source" in patch) fillPicture(lesson, store.state.changedImage);
    if ("window" in patch || "kernelName" in patch) fillKernel(lesson);
    view.show();
  });
  store.watch(["language", "theme"], () => view.show());
  store.watch(["changedImage"], ({changedImage}) => {
    if (lesson.source !== "digit") return;
    fillPicture(lesson, changedImage);
    view.show();
  });
  return view.root;
}

function fillPicture(lesson, image) {
  const {size, source, values} = lesson, before = Math.sqrt(values.length);
  if (source === "seven") lesson.values = drawSeven(size);
  else if (source === "digit") lesson.values = shrinkImage(image, size);
  else lesson.values = resize(values, before, size);
}

function fillKernel(lesson) {
  const {window, kernelName, kernel} = lesson;
  lesson.kernel = kernelName === "custom"
    ? resize(kernel, Math.sqrt(kernel.length), window)
    : createKernel(kernelName, window);
}

/** Cut off cells, or add zeros. */
function resize(values, before, side) {
  return Array.from({length: side ** 2}, (_, i) => {
    const row = Math.floor(i / side), column = i % side;
    return row < before && column < before ? values[row * before + column] : 0;
  });
}

function createView(lesson, change) {
  const controls = createControls(lesson, change);
  const {picture, kernel, output} = createGrids(lesson, change);
  const player = createPlayer({
    id: "convolution-place", label: "windowPlace", count: 25,
    format: (place) => `${place + 1} / ${countPlaces(findWindows(lesson)) ** 2}`,
    change: (place) => change({place}),
  });
  const formula = element("p", {class: "formula", id: "convolution-formula"});
  const sum = element("p", {class: "formula", id: "convolution-sum"});
  const root = element("div", {}, controls.root, element("div", {class: "lesson-body"},
    element("div", {class: "grids"}, picture, join("∗", kernel), join("=", output)),
    element("div", {class: "lesson-side"}, player, sum, formula)));
  const show = () => {
    controls.show();
    player.describe();
    const windows = findWindows(lesson), places = countPlaces(windows);
    lesson.place = player.show(lesson.place, places ** 2);
    player.hidden = !places;
    output.hidden = !places;
    showPicture(picture, lesson, windows);
    kernel.show(lesson.kernel, {caption: text("gridKernel", {side: lesson.window})});
    formula.textContent = writeFormula(windows);
    if (!places) return say(sum, "kernelTooLarge");
    output.show(correlate(lesson.values, lesson.kernel, windows), {
      caption: text("gridOutput", {side: places}),
      isMarked: (place) => place === lesson.place, isQuiet: (place) => place > lesson.place,
    });
    sum.textContent = writeSum(lesson, windows);
  };
  return {root, show};
}

function createGrids(lesson, change) {
  return {
    picture: createNumberGrid({
      id: "convolution-picture", isInk: true,
      edit: (index, value) =>
        change({source: "own", values: replaceAt(lesson.values, index, value)}),
    }),
    kernel: createNumberGrid({
      id: "convolution-kernel",
      edit: (index, value) =>
        change({kernelName: "custom", kernel: replaceAt(lesson.kernel, index, value)}),
    }),
    output: createNumberGrid({id: "convolution-output", pick: (place) => change({place})}),
  };
}

const join = (sign, grid) => element("div", {class: "grid-after-sign"}, sign, grid);

function findWindows({size, window, stride, mode, amount}) {
  return {size, window, stride, ...findPadding(mode, {size, window, stride}, amount)};
}

function showPicture(picture, lesson, windows) {
  const {before, after, window, stride} = windows, places = countPlaces(windows);
  const marked = places
    ? new Set(listCells(lesson.values, windows, lesson.place).map(({index}) => index))
    : new Set();
  picture.show(lesson.values, {
    before, after, caption: text("gridPicture", {side: lesson.size}),
    isMarked: (index) => marked.has(index),
  });
  const top = Math.floor(lesson.place / places) * stride, left = lesson.place % places * stride;
  picture.markPadding((y, x) => y >= top && y < top + window && x >= left && x < left + window);
}

function createControls(lesson, change) {
  const source = createChoice("convolution-source", "lessonPicture",
    {seven: "sourceSeven", digit: "sourceDigit", own: "sourceOwn"},
    (value) => change({source: value}));
  const kernel = createChoice("convolution-filter", "lessonKernel", {
    edge: "kernelEdge", blur: "kernelBlur", sharpen: "kernelSharpen", identity: "kernelIdentity",
    custom: "kernelCustom",
  }, (value) => change({kernelName: value}));
  const mode = createChoice("convolution-padding", "lessonPadding",
    {valid: "paddingValid", same: "paddingSame", amount: "paddingAmount"},
    (value) => change({mode: value}));
  const sliders = [
    ["size", "lessonSize", 3, 10], ["window", "lessonWindow", 1, 5],
    ["stride", "lessonStride", 1, 4], ["amount", "lessonAmount", 0, 4],
  ].map(([name, label, min, max]) => createSlider({
    id: `convolution-${name}`, label, min, max, step: 1, value: lesson[name],
    format: (value) => name === "amount" ? writePadding(findWindows(lesson)) : String(value),
    change: (value) =>
      change(name === "amount" ? {mode: "amount", amount: value} : {[name]: value}),
  }));
  const root = element("div", {class: "lesson-controls"}, source.root, kernel.root, mode.root,
    ...sliders);
  const show = () => {
    source.show(lesson.source);
    kernel.show(lesson.kernelName);
    mode.show(lesson.mode);
    // The padding in force, which "same" computes.
    sliders[3].show(findWindows(lesson).before);
  };
  return {root, show};
}

const writePadding = ({before, after}) => before === after ? String(before) : `${before}, ${after}`;

/** Write the size of the output: ⌊(W − F + 2P) / S⌋ + 1, with its numbers. */
export function writeFormula(windows) {
  const {size, window, stride, before, after} = windows;
  const [letters, padding] = before === after
    ? ["2P", `2·${before}`]
    : ["P₁ + P₂", `${before} + ${after}`];
  return `⌊(W − F + ${letters}) / S⌋ + 1 = ⌊(${size} − ${window} + ${padding}) / ${stride}⌋ + 1 = `
    + String(countPlaces(windows));
}

/** Write the sum of products of the window. */
function writeSum({values, kernel, place}, windows) {
  const terms = listCells(values, windows, place)
    .map(({value}, i) => `${formatTerm(value)}·${formatTerm(kernel[i])}`);
  const total = correlate(values, kernel, windows)[place];
  return `${terms.join(" + ")} = ${formatNumber(total, 4)}`;
}
