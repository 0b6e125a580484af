/** Shows the network's answer and the probability of each class. */

import {nameClasses} from "#page/network/network.js";
import {isDigit} from "#page/network/rejection.js";
import {text, TEXTS} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";

/** Milliseconds without a change after which the answer is told to screen readers. */
const PAUSE = 700;
/** Share of the pad's side below which a digit is hard to read: its strokes run into each other. */
const SMALL = 0.3;

/** @returns {string} a probability in percent, which never is exactly 0 or 1. */
export function formatProbability(share) {
  if (share >= 0.9995) return ">99.9%";
  return share < 0.0005 ? "<0.1%" : `${(100 * share).toFixed(1)}%`;
}

/** @returns {string} why a picture was refused. */
export function explainRefusal(code) {
  const key = `refused${code[0].toUpperCase()}${code.slice(1)}`;
  return text(key in TEXTS ? key : "refusedOther");
}

/** @returns {boolean} whether a drawing takes up less than SMALL of the pad's side. */
export function isSmall({height, width, data}) {
  let top = height, bottom = -1, left = width, right = -1;
  for (let i = 0; i < height * width; i++) {
    if (data[4 * i] < 128) continue;
    const row = Math.floor(i / width), column = i % width;
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  }
  return Math.max(bottom - top, right - left) + 1 < SMALL * Math.max(height, width);
}

/** @returns {boolean} whether the image shows something that a network can answer. */
export function isAnswered({origin}) {
  return origin.kind !== "empty" && !origin.error;
}

/**
 * @param {object} store
 * @param {object} content
 * @param {function(): boolean} isBusy whether a stroke is being drawn: nothing is told then
 * @returns {{root: HTMLElement, short: HTMLElement}} the panel, and the answer in a few characters
 *   for narrow screens; both update themselves
 */
export function createAnswer(store, content, isBusy) {
  const summary = element("div", {class: "answer-summary"});
  const bars = element("ol", {class: "bars", dataset: {label: "barsLabel"}});
  const live = element("p", {class: "visually-hidden", role: "status", id: "answer-status"});
  const short = element("span", {class: "pad-answer", "aria-hidden": "true"});
  let rows = [], shownNames = null;
  store.watch(["probabilities", "origin", "network", "language"], (state) => {
    const names = nameClasses(state.network);
    if (String(names) !== shownNames) {
      shownNames = String(names);
      rows = names.map(createBar);
      bars.style.setProperty("--name", `${Math.max(...names.map(({length}) => length))}ch`);
      bars.replaceChildren(...rows.map(({root}) => root));
    }
    const facts = describeAnswer(state, content);
    summary.replaceChildren(...showSummary(facts));
    short.textContent = shorten(facts, state.origin);
    showBars(rows, state, facts);
    announce(live, isBusy, facts);
  });
  const heading = element("h3", {id: "answer-heading"});
  store.watch(["origin", "language"], ({origin: {number}}) => {
    heading.textContent = number === null
      ? text("answerHeading")
      : text("answerHeadingExample", {number});
  });
  const root = element("section", {class: "panel answer", "aria-labelledby": "answer-heading"},
    heading, summary, bars, live);
  return {root, short};
}

/** @returns {object} what is said of the answer: texts in the chosen language. */
function describeAnswer(state, content) {
  const {origin, network, probabilities, answer} = state, names = nameClasses(network);
  if (origin.error) return {message: explainRefusal(origin.error)};
  if (!isAnswered(state)) {
    const isDigits = content.pictureInput === "digit";
    return {message: text(isDigits ? "answerEmpty" : "answerEmptyPicture")};
  }
  const share = formatProbability(probabilities[answer]), name = names[answer];
  if (isRefused(state, content)) {
    const isHard = origin.kind === "drawn" && isSmall(origin.picture);
    const parts = [isHard && text("drawLarger"), text("notDigitNearest", {name, share})];
    return {message: text("notDigit"), nearest: parts.filter(Boolean).join(" ")};
  }
  const isRight = origin.label === null ? null : origin.label === answer;
  const verdict = isRight === null
    ? null
    : text(isRight ? "answerRight" : "answerWrong", {name: names[origin.label]});
  return {name, share, isRight, verdict};
}

/** @returns {string} the answer to what is on the pad, beside it. */
function shorten({message, name, share}, {kind}) {
  if (kind !== "drawn" && kind !== "file") return "";
  return message ? "?" : `${name} · ${share}`;
}

/** Test images are digits: whether they are read correctly is known. */
function isRefused({network, changedImage, answer, origin}, {detector, thresholds}) {
  if (!network.rejects || !detector || origin.kind === "example") return false;
  return !isDigit(detector, thresholds, changedImage, network.isPreset ? answer : null);
}

function showSummary({message, nearest, name, share, isRight, verdict}) {
  if (message) {
    const parts = [element("p", {class: "answer-message", text: message})];
    if (nearest) parts.push(element("p", {class: "quiet", text: nearest}));
    return parts;
  }
  const size = name.length > 2 ? "answer-name is-long" : "answer-name";
  const parts = [
    element("p", {class: size, id: "answer", text: name}),
    element("p", {class: "answer-share", text: text("answerProbability", {share})}),
  ];
  if (verdict) {
    parts.push(element("p", {class: `verdict ${isRight ? "is-right" : "is-wrong"}`,
      text: `${isRight ? "✓" : "✗"} ${verdict}`}));
  }
  return parts;
}

function createBar(name) {
  const fill = element("span", {class: "bar-fill"}), share = element("span", {class: "bar-share"});
  const mark = element("span", {class: "bar-mark"});
  const root = element("li", {},
    element("span", {class: "bar-name", text: name}),
    element("span", {class: "bar", "aria-hidden": "true"}, fill), share, mark);
  return {root, fill, share, mark};
}

function showBars(rows, {origin, probabilities, answer}, {message, nearest}) {
  const isEmpty = message && !nearest;
  rows.forEach(({root, fill, share, mark}, number) => {
    const probability = isEmpty ? 0 : probabilities[number];
    fill.style.transform = `scaleX(${probability})`;
    share.textContent = isEmpty ? "–" : formatProbability(probability);
    mark.textContent = !isEmpty && origin.label === number ? `◂ ${text("labelMark")}` : "";
    root.classList.toggle("is-answer", !message && number === answer);
  });
}

let timer;

function announce(live, isBusy, facts) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (isBusy()) return announce(live, isBusy, facts);
    const {message, nearest, name, share, verdict} = facts;
    const parts = message ? [message, nearest] : [text("announceAnswer", {name, share}), verdict];
    live.textContent = parts.filter(Boolean).join(" ");
  }, PAUSE);
}
