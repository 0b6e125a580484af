/** The probabilities before and after the changes. */

import {hasChanges} from "#page/changes/changes.js";
import {computeOutputs} from "#page/network/forward.js";
import {nameClasses} from "#page/network/network.js";
import {prepareImage} from "#page/network/prepare.js";
import {computeProbabilities, findLargest} from "#page/network/probabilities.js";
import {formatProbability, isAnswered} from "#page/views/drawing/answer.js";
import {element} from "#page/views/elements.js";
import {create, say} from "#page/views/trials/parts.js";

/** How long an answer must stay before it is read aloud, in milliseconds. */
const CALM = 600;

/** @returns {{verdict: HTMLElement, table: HTMLElement}} */
export function createAnswers(store) {
  const verdict = element("p", {class: "trials-verdict", id: "trials-verdict"});
  const announce = createAnnouncement(verdict);
  const body = element("tbody", {});
  const label = {class: "trials-answers", id: "trials-answers", dataset: {label: "barsLabel"}};
  const table = element("table", label,
    element("colgroup", {}, ...["name-column", "share-column", "", "share-column", ""]
      .map((name) => element("col", {class: name || null}))),
    element("thead", {}, element("tr", {}, create("th", "answersClass", {scope: "col"}),
      create("th", "answersBefore", {scope: "col", colspan: 2}),
      create("th", "answersNow", {scope: "col", colspan: 2}))),
    body);
  const findBefore = rememberBefore();
  let rows = [];
  store.watch(["network"], ({network}) => {
    const names = nameClasses(network);
    rows = names.map(createRow);
    table.classList.toggle("has-long-names", names.some(({length}) => length > 4));
    body.replaceChildren(...rows.map(({row}) => row));
  });
  store.watch(["probabilities", "language", "origin"], (state) => {
    const before = findBefore(state), names = nameClasses(state.network);
    const was = findLargest(before), is = state.answer;
    const isEmpty = !isAnswered(state);
    rows.forEach(({row, show}, i) => {
      row.classList.toggle("is-now", !isEmpty && i === is);
      row.classList.toggle("is-before", !isEmpty && i === was);
      show(isEmpty ? [null, null] : [before[i], state.probabilities[i]]);
    });
    verdict.classList.toggle("is-flipped", !isEmpty && was !== is);
    const values = {
      was: names[was], is: names[is], before: formatProbability(before[was]),
      now: formatProbability(state.probabilities[is]),
    };
    if (isEmpty) verdict.textContent = "";
    else if (!hasChanges(state.changes)) say(verdict, "verdictSame", values);
    else say(verdict, was === is ? "verdictKept" : "verdictFlipped", values);
    announce(hasChanges(state.changes) ? is : null);
  });
  return {verdict, table};
}

/** Return a function that has the verdict read aloud once another class has stayed the answer. */
function createAnnouncement(verdict) {
  const status = element("span", {class: "visually-hidden", role: "status"});
  let last = null, timer = null;
  return (answer) => {
    if (!status.isConnected) verdict.after(status);
    if (answer === last) return;
    last = answer;
    clearTimeout(timer);
    timer = setTimeout(() => {
      status.textContent = answer === null ? "" : verdict.textContent;
    }, CALM);
  };
}

/** Return a function that computes the unchanged probabilities, once for each image. */
function rememberBefore() {
  let last = {};
  return ({network, image, changes, probabilities}) => {
    if (!hasChanges(changes)) return probabilities;
    if (last.network !== network || last.image !== image) {
      const outputs = computeOutputs(network, prepareImage(image, network.preparation), {});
      last = {network, image, probabilities: computeProbabilities(network, outputs.at(-1))};
    }
    return last.probabilities;
  };
}

function createRow(name) {
  const cells = [0, 1].map(() => {
    const bar = element("div", {class: "trials-bar"});
    return {bar, number: element("td", {class: "number"}),
      track: element("td", {class: "track", "aria-hidden": "true"}, bar)};
  });
  const row = element("tr", {}, element("th", {scope: "row", text: name}),
    ...cells.flatMap(({number, track}) => [number, track]));
  const show = (shares) => shares.forEach((share, i) => {
    const shown = share === null ? "–" : formatProbability(share);
    if (cells[i].number.textContent === shown) return;
    cells[i].number.textContent = shown;
    cells[i].bar.style.width = `${100 * (share ?? 0)}%`;
  });
  return {row, show};
}
