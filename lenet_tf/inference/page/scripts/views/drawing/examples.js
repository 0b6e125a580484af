/** The test images to choose from, grouped by class. */

import {classify} from "#page/network/classify.js";
import {nameClasses} from "#page/network/network.js";
import {findLargest} from "#page/network/probabilities.js";
import {getLanguage, text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {paintImage} from "#page/views/pixels.js";
import {nameNetwork} from "#page/views/network-names.js";
import {describeOrigin} from "#page/views/drawing/pictures.js";

/** @returns {import("#page/store.js").RawImage} one of the test images. */
export function takeExample({images: {shape, values}}, index) {
  const [, height, width, channels = 1] = shape, size = height * width * channels;
  return {height, width, channels, pixels: values.subarray(index * size, (index + 1) * size)};
}

/**
 * Create the test images to choose from.
 *
 * @param {object} store
 * @param {object} content
 * @param {function(): void} chosen called after one was chosen
 * @returns {{root: HTMLElement, choose: function(number): void, chooseRandom: function(): void}}
 */
export function createExamples(store, {examples}, chosen) {
  const answers = new Map();
  const buttons = examples.labels.map((_, index) => createThumbnail(index));
  const note = element("p", {class: "quiet small"});
  const list = element("div", {
    class: "examples", role: "radiogroup", dataset: {label: "examplesLabel"},
    keydown: (event) => moveFocus(event, buttons),
  }, ...groupByClass(buttons, examples.labels));
  const opener = element("summary");
  const root = element("details", {class: "example-choice"}, opener, list, note);
  root.open = matchMedia("(min-width: 60rem)").matches;

  const choose = (index) => {
    store.set({
      image: takeExample(examples, index),
      origin: describeOrigin("example", {label: examples.labels[index],
        number: examples.numbers[index]}),
    });
    chosen();
  };
  const chooseRandom = () => {
    const others = buttons.map((_, index) => index)
      .filter((index) => buttons[index].getAttribute("aria-checked") !== "true");
    if (others.length) choose(others[Math.floor(Math.random() * others.length)]);
  };

  buttons.forEach((button, index) => {
    button.addEventListener("click", () => choose(index));
    button.addEventListener("focus", () => setTabStop(buttons, index));
  });
  store.watch(["origin"], ({origin}) => showChosen(buttons, examples, origin));
  store.watch(["theme"], () => buttons.forEach((button, index) =>
    paintImage(button.firstChild, takeExample(examples, index))));
  store.watch(["network", "language"], ({network}) => {
    opener.textContent = text("examplesOpen", {count: buttons.length});
    showNames(network);
    note.textContent = "";
    if (root.open) findMisread(network);
  });
  root.addEventListener("toggle", () => root.open && findMisread(store.state.network));
  setTabStop(buttons, 0);
  return {root, choose, chooseRandom};

  function showNames(network, misread = new Map()) {
    const names = nameClasses(network);
    buttons.forEach((button, index) => {
      const number = examples.numbers[index], name = names[examples.labels[index]];
      const read = misread.get(index), plain = text("exampleName", {number, name});
      const title = read === undefined
        ? plain
        : text("misread", {name: plain, answer: names[read]});
      button.title = title;
      button.setAttribute("aria-label", title);
      button.classList.toggle("is-misread", read !== undefined);
    });
  }

  /** Compute the network's answers to all test images, some at a time. */
  function findMisread(network, index = 0) {
    if (!answers.has(network)) answers.set(network, []);
    const known = answers.get(network);
    const end = performance.now() + 8;
    for (index = known.length; index < buttons.length && performance.now() < end; index++) {
      known.push(findLargest(classify(network, takeExample(examples, index))));
    }
    if (network !== store.state.network) return;
    if (known.length < buttons.length) {
      setTimeout(() => findMisread(network), 30);
      return;
    }
    const misread = new Map([...known.entries()].filter(([i, read]) => read !== examples.labels[i]));
    showNames(network, misread);
    note.textContent = misread.size ? text("misreadNote", {network: nameNetwork(network)}) : "";
    note.lang = getLanguage();
  }
}

function createThumbnail(index) {
  return element("button", {
    type: "button", role: "radio", class: "thumbnail", "aria-checked": "false", tabindex: -1,
    dataset: {example: index},
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
    if (isChosen) setTabStop(buttons, index);
  });
}

function setTabStop(buttons, index) {
  buttons.forEach((button, i) => {
    if ((i === index) !== (button.tabIndex === 0)) button.tabIndex = i === index ? 0 : -1;
  });
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
