/** The sliders and switches that change an image and round a network's weights. */

import {NO_CHANGES} from "#page/changes/changes.js";
import {text} from "#page/texts/index.js";
import {createSlider, element} from "#page/views/elements.js";
import {create, say} from "#page/views/trials/parts.js";

const ALL_BITS = 17;
const formatSigned = (value) => `${value > 0 ? "+" : ""}${value}`.replace("-", "−");

/** @returns {HTMLElement} */
export function createControls(store) {
  const change = (patch) => store.set({changes: {...store.state.changes, ...patch}});
  const sliders = (list) => list.map((options) => createReset(store, options));
  const {move, noise, bits} = describeSliders(store.state.image, change);
  return element("div", {class: "trials-controls"},
    group("changesMove", ...sliders(move)),
    group("changesNoise", ...sliders([noise]), createNewNoise(store, change)),
    group("changesCover", ...sliders(describeSquare(store, change))),
    group("changesShuffle", createShuffle(store, change)),
    group("changesBits", ...sliders([bits]), createBitsCaption(store)));
}

/** Describe the sliders of numbers among the changes. */
function describeSliders({height, width}, change) {
  const describe = (name, label, min, max, step, options = {}) => ({
    id: `change-${name}`, label, min, max, step, initial: NO_CHANGES[name],
    read: (changes) => changes[name], change: (value) => change({[name]: value}), ...options,
  });
  return {
    move: [
      describe("down", "changeDown", -height / 2, height / 2, 1, {format: formatSigned}),
      describe("right", "changeRight", -width / 2, width / 2, 1, {format: formatSigned}),
      describe("degrees", "changeDegrees", -180, 180, 1,
        {format: (value) => `${formatSigned(value)}°`}),
      describe("scale", "changeScale", 0.4, 1.6, 0.05,
        {format: (value) => `× ${value.toFixed(2)}`}),
    ],
    noise: describe("noise", "changeNoise", 0, 128, 1),
    bits: describe("bits", "changeBits", 1, ALL_BITS, 1, {
      initial: ALL_BITS, read: (changes) => changes.bits ?? ALL_BITS,
      change: (value) => change({bits: value === ALL_BITS ? null : value}),
      format: (value) => value === ALL_BITS ? "32" : String(value),
    }),
  };
}

/** Describe the sliders of the square, whose place is kept while its side is 0. */
function describeSquare(store, change) {
  const {height, width} = store.state.image, side = Math.min(height, width);
  const initial = {
    side: 0, top: Math.round(height / 2 - side / 8), left: Math.round(width / 2 - side / 8),
  };
  const square = {...initial};
  const describe = (name, label, max) => ({
    id: `change-${name}`, label, min: 0, max, step: 1, initial: initial[name],
    read: () => square[name],
    change: (value) => {
      square[name] = value;
      change({occlusion: square.side ? {...square} : null});
    },
  });
  // Dragging on the picture moves the square too.
  store.watch(["changes"], ({changes}) => Object.assign(square,
    changes.occlusion ?? (changes === NO_CHANGES ? initial : {side: 0})));
  return [
    describe("side", "changeSide", side), describe("top", "changeTop", height - 1),
    describe("left", "changeLeft", width - 1),
  ];
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
