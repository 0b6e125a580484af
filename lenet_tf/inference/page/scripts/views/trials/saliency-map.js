/** How strongly each pixel moves the score of a class: the gradient, beside the input. */

import {nameClasses} from "#page/network/network.js";
import {computeSaliency} from "#page/network/saliency.js";
import {text} from "#page/texts/index.js";
import {element, formatNumber} from "#page/views/elements.js";
import {findLimit, paint, paintMap, toGrayColor} from "#page/views/pixels.js";
import {create, moveByArrows, runInFrame, runWhenSeen, say} from "#page/views/trials/parts.js";

/** @returns {HTMLElement} */
export function createSaliency(store) {
  const classes = element("div", {class: "trials-buttons", role: "group", id: "saliency-classes"});
  const figure = createFigure();
  let chosen = null;
  const show = () => {
    const {changedNetwork: network, outputs, answer, changes} = store.state;
    const index = chosen ?? answer, shape = network.layers[0].outputShape;
    const {disabled} = changes;
    const gradient = flatten(computeSaliency(network, outputs, index, {disabled}), shape[2]);
    figure.show(outputs[0], gradient, shape, nameClasses(network)[index]);
    classes.querySelectorAll("button").forEach((button, i) => {
      button.setAttribute("aria-pressed", String(i === 0 ? chosen === null : i - 1 === chosen));
    });
  };
  const showInFrame = runInFrame(show);
  const choose = (index) => {
    chosen = index;
    showInFrame();
  };
  store.watch(["network"], ({network}) => {
    chosen = null;
    classes.replaceChildren(
      create("button", "saliencyAnswer", {type: "button", click: () => choose(null)}),
      ...nameClasses(network).map((name, i) =>
        element("button", {type: "button", class: "class", text: name, click: () => choose(i)})));
    moveByArrows(classes);
  });
  store.watch(["outputs", "language", "theme"], runWhenSeen(figure.root, show));
  store.watch(["language"], () => classes.setAttribute("aria-label", text("saliencyClasses")));
  return element("div", {}, classes, figure.root);
}

/** Create the input and the gradient beside it, with a caption of one pixel's number. */
function createFigure() {
  const input = element("canvas", {class: "trials-map", role: "img",
    dataset: {label: "saliencyInput"}, "aria-label": text("saliencyInput")});
  const map = element("canvas", {class: "trials-map", id: "saliency-map", role: "img",
    dataset: {label: "saliencyMap"}, "aria-label": text("saliencyMap")});
  const caption = element("p", {class: "small", id: "saliency-strongest"});
  const meaning = element("p", {class: "quiet small"});
  let shown = null, hovered = null;
  const describe = () => {
    const {gradient, shape: [, width]} = shown, at = hovered ?? findStrongest(gradient);
    say(caption, hovered === null ? "saliencyStrongest" : "saliencyHovered", {
      row: Math.floor(at / width), column: at % width, value: formatNumber(gradient[at]),
    });
  };
  readPixels(map, () => shown?.shape, (at) => {
    hovered = at;
    if (shown) describe();
  });
  const show = (values, gradient, shape, name) => {
    shown = {gradient, shape};
    paintInput(input, values, shape);
    paintMap(map, gradient, [shape[0], shape[1], 1], 0, findLimit(gradient));
    describe();
    say(meaning, shape[2] > 1 ? "saliencyMeaningColor" : "saliencyMeaning", {name});
  };
  const root = element("div", {}, element("div", {class: "trials-maps"}, input, map), caption,
    meaning, create("p", "saliencyLimits", {class: "quiet small"}));
  return {root, show};
}

/** Call `show` with the position of the pixel under the pointer, and null when it leaves. */
function readPixels(canvas, findShape, show) {
  canvas.addEventListener("pointermove", (event) => {
    const shape = findShape();
    if (!shape) return;
    const box = canvas.getBoundingClientRect();
    const place = (share, length) => Math.min(Math.max(Math.floor(share * length), 0), length - 1);
    show(place((event.clientY - box.top) / box.height, shape[0]) * shape[1]
      + place((event.clientX - box.left) / box.width, shape[1]));
  });
  canvas.addEventListener("pointerleave", () => show(null));
}

/** @returns {Float32Array} one value a pixel: that of its channel with the largest size. */
function flatten(gradient, channels) {
  if (channels === 1) return gradient;
  return Float32Array.from({length: gradient.length / channels}, (_, i) => {
    const values = gradient.subarray(i * channels, (i + 1) * channels);
    return values[findStrongest(values)];
  });
}

function findStrongest(values) {
  let strongest = 0;
  for (let i = 1; i < values.length; i++) {
    if (Math.abs(values[i]) > Math.abs(values[strongest])) strongest = i;
  }
  return strongest;
}

/** Paint a prepared image from its smallest to its largest value. */
function paintInput(canvas, values, [height, width, channels]) {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const scale = (value) => (value - low) / (high - low || 1);
  paint(canvas, height, width, (row, column) => {
    const at = (row * width + column) * channels;
    return channels === 3
      ? [0, 1, 2].map((channel) => 255 * scale(values[at + channel]))
      : toGrayColor(scale(values[at]));
  });
}
