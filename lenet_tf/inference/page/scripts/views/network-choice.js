/** Cards to choose a network, each with its answer to the present image. */

import {applyWeightChanges} from "#page/changes/weights.js";
import {nameClasses} from "#page/network/network.js";
import {classify} from "#page/network/classify.js";
import {findLargest} from "#page/network/probabilities.js";
import {text} from "#page/texts/index.js";
import {formatProbability, isAnswered} from "#page/views/drawing/answer.js";
import {element, find, formatCount} from "#page/views/elements.js";
import {requestFrame} from "#page/views/frames.js";
import {describeNetwork, nameNetwork} from "#page/views/network-names.js";

/** Fill `#networks`. */
export function createNetworkChoice(store) {
  const cards = store.networks.map((network, index) => createCard(store, network, index));
  const isChoice = cards.length > 1, hasTests = store.networks.some(({test}) => test);
  const heading = isChoice ? "networksHeading" : "networkHeading";
  find("networks").append(
    element("h2", {id: "networks-heading", dataset: {text: heading}}),
    ...(isChoice ? [element("p", {class: "quiet small", dataset: {text: "networksNote"}})] : []),
    element("div", {class: "cards", role: "radiogroup", "aria-labelledby": "networks-heading"},
      ...cards.map(({root}) => root)),
    ...(hasTests
      ? [element("p", {class: "quiet small interval-note", dataset: {text: "intervalNote"}})]
      : []));
  store.watch(["language"], () => cards.forEach(showFacts));
  store.watch(["network"], ({network}) => cards.forEach(({input, root}, index) => {
    input.checked = store.networks[index] === network;
    root.classList.toggle("is-chosen", input.checked);
  }));
  const computeLater = createQueue(cards, (card) => showAnswer(card, store.state));
  store.watch(["changedImage", "changedNetwork", "changes", "origin", "language"], (state) => {
    // The chosen network's answer is known; the others follow, one in a frame.
    for (const card of cards) if (card.network === state.network) showAnswer(card, state);
    computeLater();
  });
}

function createCard(store, network, index) {
  const id = `network-${index}`;
  const input = element("input", {
    type: "radio", name: "network", id, class: "visually-hidden",
    "aria-labelledby": `${id}-name`, "aria-describedby": `${id}-answer ${id}-facts`,
    change: () => store.set({network, selection: null}),
  });
  const name = element("span", {class: "card-name", id: `${id}-name`});
  const facts = element("span", {class: "card-facts", id: `${id}-facts`});
  const answer = element("span", {class: "card-answer", id: `${id}-answer`});
  const root = element("label", {class: "card", for: id}, input, name, facts, answer);
  return {root, input, network, name, facts, answer, weights: null};
}

function showFacts({network, name, facts}) {
  name.textContent = nameNetwork(network);
  const lines = [text("parametersFact", {count: formatCount(network.parameters)})];
  if (network.test) lines.push(text("testFact", describeTest(network.test)));
  if (network.row?.sd) lines.push(text("rowFact", describeRow(network.row)));
  facts.replaceChildren(
    element("span", {class: "card-title", text: describeNetwork(network)}),
    ...lines.map((line) => element("span", {text: line})));
}

const percent = (share) => `${(100 * share).toFixed(2)}%`;

function describeTest({errors, images, error, low, high}) {
  return {
    errors: formatCount(errors), images: formatCount(images), error: percent(error),
    low: (100 * low).toFixed(2), high: percent(high),
  };
}

function describeRow({name, seeds, mean, sd}) {
  return {name, seeds, mean: percent(mean), sd: (100 * sd).toFixed(2)};
}

/**
 * Create a function that starts computing the other networks' answers, one in a frame. Another
 * call starts anew, but each card is computed sooner or later.
 */
function createQueue(cards, run) {
  let waiting = [], frame = null;
  const step = () => {
    frame = null;
    const card = waiting.shift();
    if (card) run(card);
    if (waiting.length) frame = requestFrame(step);
  };
  return () => {
    for (const card of cards) {
      if (!card.input.checked && !waiting.includes(card)) waiting.push(card);
    }
    if (waiting.length) frame ??= requestFrame(step);
  };
}

function showAnswer(card, state) {
  if (!isAnswered(state)) {
    card.answer.replaceChildren(element("span", {class: "card-digit", text: "–"}));
    return;
  }
  const probabilities = card.network === state.network
    ? state.probabilities
    : computeAnswer(card, state);
  const answer = findLargest(probabilities), {label} = state.origin;
  const name = nameClasses(card.network)[answer], share = formatProbability(probabilities[answer]);
  const parts = [
    element("span", {class: name.length > 2 ? "card-digit is-long" : "card-digit", text: name}),
    element("span", {class: "card-share", text: share}),
  ];
  if (label !== null) {
    parts[1].prepend(element("span", label === answer
      ? {class: "is-right", text: "✓ "}
      : {class: "is-wrong", text: "✗ "}));
  }
  card.answer.replaceChildren(...parts);
}

/**
 * @returns {Float32Array} probabilities of a network that isn't the chosen one. Maps are switched
 *   off in the chosen one only.
 */
function computeAnswer(card, {changedImage, changes}) {
  if (card.weights?.bits !== changes.bits || !card.weights) {
    card.weights = {bits: changes.bits, network: applyWeightChanges(card.network, changes)};
  }
  return classify(card.weights.network, changedImage);
}
