/** The test images to choose from, grouped by class. */

import {nameClasses} from "#page/network/network.js";
import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {paintImage} from "#page/views/pixels.js";
import {nameNetwork} from "#page/views/network-names.js";
import {takeExample} from "#page/views/drawing/example-images.js";
import {createMisreadFinder} from "#page/views/drawing/misread.js";
import {describeOrigin} from "#page/views/drawing/pictures.js";

/**
 * Create the test images to choose from.
 *
 * @param {object} store
 * @param {object} content
 * @param {function(): void} chosen called after one was chosen
 * @returns {{root: HTMLElement, choose: function(number): void, chooseRandom: function(): void}}
 */
export function createExamples(store, {examples}, chosen) {
  const choose = (index) => {
    const label = examples.labels[index], number = examples.numbers[index];
    store.set({
      image: takeExample(examples, index), origin: describeOrigin("example", {label, number}),
    });
    chosen();
  };
  const buttons = examples.labels.map((_, index) => createThumbnail(index, choose));
  const chooseRandom = () => {
    const others = buttons.filter((button) => button.getAttribute("aria-checked") !== "true");
    others[Math.floor(Math.random() * others.length)]?.click();
  };
  const list = element("div", {
    class: "examples", role: "radiogroup", dataset: {label: "examplesLabel"},
    keydown: (event) => moveFocus(event, buttons),
    focusin: ({target}) => setTabStop(buttons, target),
  }, ...groupByClass(buttons, examples.labels));
  setTabStop(buttons, buttons[0]);
  store.watch(["origin"], ({origin}) => showChosen(buttons, examples, origin));
  store.watch(["theme"], () => buttons.forEach((button, index) =>
    paintImage(button.firstChild, takeExample(examples, index))));
  return {root: createGallery(store, examples, buttons, list), choose, chooseRandom};
}

/** Create the element that opens to the test images, and name those. */
function createGallery(store, examples, buttons, list) {
  // The note keeps its line while it isn't known, so that nothing below jumps.
  const opener = element("summary");
  const note = element("p", {class: "quiet small", text: "\u00a0"});
  const root = element("details", {class: "example-choice"}, opener, list, note);
  root.open = matchMedia("(min-width: 60rem)").matches;
  const findMisread = createMisreadFinder(examples);
  const showMisread = () => {
    const {network} = store.state;
    if (!root.open) return;
    findMisread(network, (misread) => {
      showNames(buttons, examples, network, misread);
      note.textContent = misread.size
        ? text("misreadNote", {network: nameNetwork(network)})
        : "\u00a0";
      note.style.visibility = "visible";
    }, () => network === store.state.network);
  };
  store.watch(["network", "language"], ({network}) => {
    opener.textContent = text("examplesOpen", {count: buttons.length});
    note.style.visibility = "hidden";
    showNames(buttons, examples, network, new Map());
    showMisread();
  });
  root.addEventListener("toggle", showMisread);
  return root;
}

function showNames(buttons, {labels, numbers}, network, misread) {
  const names = nameClasses(network);
  buttons.forEach((button, index) => {
    const plain = text("exampleName", {number: numbers[index], name: names[labels[index]]});
    const isMisread = misread.has(index);
    button.title = isMisread
      ? text("misread", {name: plain, answer: names[misread.get(index)]})
      : plain;
    button.setAttribute("aria-label", button.title);
    button.classList.toggle("is-misread", isMisread);
  });
}

function createThumbnail(index, choose) {
  return element("button", {
    type: "button", role: "radio", class: "thumbnail", "aria-checked": "false", tabindex: -1,
    dataset: {example: index}, click: () => choose(index),
  }, element("canvas", {"aria-hidden": "true"}));
}

function groupByClass(buttons, labels) {
  return [...new Set(labels)].map((label) => element("div", {class: "example-class"},
    ...buttons.filter((_, index) => labels[index] === label)));
}

function showChosen(buttons, {numbers}, origin) {
  buttons.forEach((button, index) => {
    const isChosen = origin.kind === "example" && origin.number === numbers[index];
    if (String(isChosen) === button.getAttribute("aria-checked")) return;
    button.setAttribute("aria-checked", isChosen);
    if (isChosen) setTabStop(buttons, button);
  });
}

/** Let the tabulator key stop at one of the buttons only. */
function setTabStop(buttons, chosen) {
  for (const button of buttons) {
    const wanted = button === chosen ? 0 : -1;
    if (button.tabIndex !== wanted) button.tabIndex = wanted;
  }
}

/** Move among the test images as among radio buttons; up and down to the image above or below. */
function moveFocus(event, buttons) {
  const index = buttons.indexOf(event.target);
  const next = {
    ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: buttons.length - 1,
    ArrowUp: findBeyond(buttons, index, -1), ArrowDown: findBeyond(buttons, index, 1),
  }[event.key];
  if (index < 0 || next === undefined) return;
  event.preventDefault();
  const target = buttons[(next + buttons.length) % buttons.length];
  target.focus();
  target.click();
}

/** @returns {number} the nearest button of the next row in a direction, or the same button. */
function findBeyond(buttons, index, direction) {
  if (index < 0) return index;
  const places = buttons.map((button) => button.getBoundingClientRect());
  const {left, top} = places[index];
  let best = index, least = Infinity;
  places.forEach((place, i) => {
    const down = (place.top - top) * direction;
    if (down < 4) return;
    const distance = 100 * down + Math.abs(place.left - left);
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}
