/** Elements with texts, and work that waits for the next frame. */

import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {requestFrame, runBeforePrint} from "#page/views/frames.js";

/** Create an element that shows a text without places, in the chosen language from now on. */
export function create(tag, key, attributes = {}) {
  return element(tag, {dataset: {text: key}, text: text(key), ...attributes});
}

/** Show a text with values in an element, if it is not shown already. */
export function say(target, key, values = {}) {
  const shown = text(key, values);
  if (target.textContent !== shown) target.textContent = shown;
}

/** Return a function that runs another one in the next frame: once, however often it is called. */
export function runInFrame(run) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestFrame(() => {
      waiting = false;
      run();
    });
  };
}

/**
 * Return a function that runs another one in the next frame in which an element can be seen, or
 * nearly so.
 *
 * @param {HTMLElement} root
 * @param {function(): void} run
 */
export function runWhenSeen(root, run) {
  let isSeen = false, isWaiting = false;
  const inFrame = runInFrame(run);
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    if (isSeen && isWaiting) {
      isWaiting = false;
      inFrame();
    }
  }, {rootMargin: "300px"}).observe(root);
  runBeforePrint(() => {
    if (isWaiting) run();
    isWaiting = false;
  });
  return () => {
    if (isSeen) inFrame();
    else isWaiting = true;
  };
}

/**
 * Let the arrow keys move the focus among buttons, of which the Tab key then finds one only.
 *
 * @param {HTMLElement} group that holds the buttons
 */
export function moveByArrows(group) {
  const list = () => [...group.querySelectorAll("button")];
  group.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    const buttons = list(), at = buttons.indexOf(document.activeElement);
    const ends = {Home: 0, End: buttons.length - 1};
    const to = event.key in ends ? ends[event.key] : at + step;
    if (at < 0 || !buttons[to]) return;
    event.preventDefault();
    buttons[to].focus();
  });
  group.addEventListener("focusin", (event) => {
    for (const button of list()) button.tabIndex = button === event.target ? 0 : -1;
  });
  list().forEach((button, i) => {
    button.tabIndex = i === 0 ? 0 : -1;
  });
}
