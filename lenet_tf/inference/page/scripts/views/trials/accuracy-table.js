/** Each network's answer under the changes, and how many test images it still reads. */

import {hasChanges, NO_CHANGES} from "#page/changes/changes.js";
import {countCorrect, runInSlices} from "#page/changes/accuracy.js";
import {applyWeightChanges} from "#page/changes/weights.js";
import {classify} from "#page/network/classify.js";
import {nameClasses} from "#page/network/network.js";
import {findLargest} from "#page/network/probabilities.js";
import {isAnswered} from "#page/views/drawing/answer.js";
import {element} from "#page/views/elements.js";
import {runBeforePrint} from "#page/views/frames.js";
import {nameNetwork} from "#page/views/network-names.js";
import {create, runWhenSeen, say} from "#page/views/trials/parts.js";

/** How long the changes must stay the same before images are counted, in milliseconds. */
const PATIENCE = 150;

/** @returns {HTMLElement} where the page has test images */
export function createAccuracy(store, {examples}) {
  const count = examples.labels.length;
  const caption = element("p", {class: "quiet small"});
  const body = element("tbody", {});
  const root = element("div", {id: "accuracy"}, caption,
    element("table", {},
      element("thead", {}, element("tr", {}, create("th", "accuracyNetwork", {scope: "col"}),
        create("th", "accuracyAnswer", {scope: "col", class: "number"}),
        create("th", "answersBefore", {scope: "col", class: "number"}),
        create("th", "answersNow", {scope: "col", class: "number"}))),
      body));
  const rows = new Map(store.networks.map((network) => [network, createRow(network)]));
  body.append(...[...rows.values()].map(({row}) => row));
  store.watch(["language"], () => {
    say(caption, "accuracyCaption", {count});
    for (const [network, {name}] of rows) name.textContent = nameNetwork(network);
  });
  store.watch(["network"], ({network}) => {
    for (const [other, {row}] of rows) row.classList.toggle("is-current", other === network);
  });
  store.watch(["changedImage", "changedNetwork", "changes", "origin"], runWhenSeen(root, () => {
    for (const [network, {answer}] of rows) showAnswer(answer, network, store.state);
  }));
  countWhenSeen(store, root, rows, examples);
  return root;
}

function createRow(network) {
  const [answer, before, now] = Array.from({length: 3}, () => element("td", {class: "number"}));
  const name = element("th", {scope: "row"});
  const row = element("tr", {dataset: {network: network.name}}, name, answer, before, now);
  return {row, name, answer, before, now};
}

function showAnswer(cell, network, state) {
  const {label} = state.origin;
  if (!isAnswered(state)) return cell.replaceChildren("–");
  const answer = network === state.network ? state.answer : findLargest(classify(
    applyWeightChanges(network, state.changes), state.changedImage,
    findOwnChanges(state, network)));
  const mark = answer === label
    ? element("span", {class: "is-right", text: "✓"})
    : element("span", {class: "is-wrong", text: "✗"});
  cell.replaceChildren(...label === null ? [] : [mark, " "], nameClasses(network)[answer]);
}

/** Count while the table can be seen, after the changes have stayed the same for a moment. */
function countWhenSeen(store, root, rows, examples) {
  const counted = new Map();
  let isSeen = false, stop = () => {}, finished = {};
  const plan = () => [...rows].flatMap(([network, cells]) =>
    planRow(network, cells, findOwnChanges(store.state, network), counted));
  const finish = ({changes, network}) => {
    finished = {changes, network};
    root.removeAttribute("aria-busy");
  };
  const start = () => {
    const {changes, network} = store.state;
    stop();
    if (!isSeen || (finished.changes === changes && finished.network === network)) return;
    root.setAttribute("aria-busy", "true");
    stop = runAll(plan(), examples, () => finish({changes, network}));
  };
  store.watch(["changes", "network"], start);
  runBeforePrint(() => {
    stop();
    for (const {network, changes, finish: show} of plan()) {
      let correct = 0;
      for (correct of countCorrect(network, examples, changes));
      show(correct);
    }
    finish(store.state);
  });
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    start();
  }).observe(root);
}

/** Maps are switched off in the chosen network only: others have other maps. */
function findOwnChanges({changes, network: chosen}, network) {
  return network === chosen ? changes : {...changes, disabled: {}};
}

/** Return what is to be counted for a row, and what is done with each count. */
function planRow(network, {before, now}, changes, counted) {
  const isChanged = hasChanges(changes), tasks = [];
  const show = (correct) => {
    now.textContent = String(correct);
    now.classList.remove("is-old");
  };
  now.classList.add("is-old");
  if (!counted.has(network)) {
    tasks.push({network, changes: NO_CHANGES, finish: (correct) => {
      counted.set(network, correct);
      before.textContent = String(correct);
      if (!isChanged) show(correct);
    }});
  } else if (!isChanged) show(counted.get(network));
  if (isChanged) tasks.push({network, changes, finish: show});
  return tasks;
}

/** Run one task after another. */
function runAll(tasks, examples, finishAll) {
  let stop = () => {};
  const next = () => {
    const task = tasks.shift();
    if (!task) return finishAll();
    stop = runInSlices(countCorrect(task.network, examples, task.changes), (correct) => {
      task.finish(correct);
      next();
    });
  };
  const timer = setTimeout(next, PATIENCE);
  return () => {
    clearTimeout(timer);
    stop();
  };
}
