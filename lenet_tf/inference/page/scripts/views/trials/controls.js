/** The sliders and switches that change an image and round a network's weights. */

import {NO_CHANGES} from "#page/changes/changes.js";
import {text} from "#page/texts/index.js";
import {createSlider, element} from "#page/views/elements.js";
import {create, say} from "#page/views/trials/parts.js";

const ALL_BITS = 17;
const signed = (value) => `${value > 0 ? "+" : ""}${value}`.replace("-", "−");

/** @returns {HTMLElement} */
export function createControls(store) {
  const {height, width} = store.state.image, side = Math.min(height, width);
  const change = (patch) => store.set({changes: {...store.state.changes, ...patch}});
  const square = {
    top: Math.round(height / 2 - side / 8), left: Math.round(width / 2 - side / 8), side: 0,
  };
  const cover = (patch) => {
    Object.assign(square, patch);
    change({occlusion: square.side ? {...square} : null});
  };
  const plain = (name, options) => ({
    id: `change-${name}`, initial: NO_CHANGES[name], read: (changes) => changes[name],
    change: (value) => change({[name]: value}), ...options,
  });
  const hidden = (name, max) => ({
    id: `change-${name}`, min: 0, max, step: 1, initial: square[name],
    read: () => square[name], change: (value) => cover({[name]: value}),
  });
  const move = [
    plain("down", {label: "changeDown", min: -height / 2, max: height / 2, step: 1, format: signed}),
    plain("right", {label: "changeRight", min: -width / 2, max: width / 2, step: 1, format: signed}),
    plain("degrees", {label: "changeDegrees", min: -180, max: 180, step: 1,
      format: (value) => `${signed(value)}°`}),
    plain("scale", {label: "changeScale", min: 0.4, max: 1.6, step: 0.05,
      format: (value) => `× ${value.toFixed(2)}`}),
  ];
  const noise = plain("noise", {label: "changeNoise", min: 0, max: 128, step: 1});
  const bits = plain("bits", {
    label: "changeBits", min: 1, max: ALL_BITS, step: 1, initial: ALL_BITS,
    read: (changes) => changes.bits ?? ALL_BITS,
    change: (value) => change({bits: value === ALL_BITS ? null : value}),
    format: (value) => value === ALL_BITS ? "32" : String(value),
  });
  const covers = [
    {...hidden("side", side), label: "changeSide"},
    {...hidden("top", height - 1), label: "changeTop"},
    {...hidden("left", width - 1), label: "changeLeft"},
  ];
  // Dragging on the picture moves the square too.
  store.watch(["changes"], ({changes}) => Object.assign(square, changes.occlusion ?? {side: 0}));
  return element("div", {class: "trials-controls"},
    group("changesMove", ...move.map((options) => createReset(store, options))),
    group("changesNoise", createReset(store, noise), createNewNoise(store, change)),
    group("changesCover", ...covers.map((options) => createReset(store, options))),
    group("changesShuffle", createShuffle(store, change)),
    group("changesBits", createReset(store, bits), createBitsCaption(store)));
}

function group(key, ...children) {
  return element("fieldset", {}, create("legend", key), ...children);
}

/** Create a slider with a button that sets it back. */
function createReset(store, {initial, read, ...options}) {
  const slider = createSlider({...options, value: read(store.state.changes)});
  const reset = element("button", {
    type: "button", class: "reset", id: `reset-${options.id}`, text: "↺",
    click: () => options.change(initial),
  });
  store.watch(["changes"], ({changes}) => {
    slider.show(read(changes));
    reset.disabled = read(changes) === initial;
  });
  store.watch(["language"], () => {
    const label = text("changeReset", {name: text(options.label)});
    reset.setAttribute("aria-label", label);
    reset.title = label;
  });
  return element("div", {class: "resettable"}, slider, reset);
}

function createNewNoise(store, change) {
  const button = create("button", "changeNewNoise", {
    type: "button", id: "new-noise",
    click: () => change({noiseSeed: store.state.changes.noiseSeed + 1}),
  });
  store.watch(["changes"], ({changes}) => {
    button.disabled = changes.noise === 0;
  });
  return button;
}

function createShuffle(store, change) {
  const input = element("input", {
    type: "checkbox", id: "change-shuffle", role: "switch",
    change: () => change({shuffle: input.checked}),
  });
  store.watch(["changes"], ({changes}) => {
    input.checked = changes.shuffle;
  });
  return element("div", {},
    element("label", {class: "switch"}, input, create("span", "changeShuffle")),
    create("p", "changeShuffleCaption", {class: "quiet small"}));
}

function createBitsCaption(store) {
  const caption = element("p", {class: "quiet small", id: "bits-caption"});
  store.watch(["changes", "language"], ({changes: {bits}}) => {
    if (bits === null) say(caption, "bitsAll");
    else if (bits === 1) say(caption, "bitsOne");
    else say(caption, "bitsSome", {bits, values: 2 ** bits - 1, steps: 2 ** (bits - 1) - 1});
  });
  return caption;
}
