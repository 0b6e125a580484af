/** A slider with buttons that move it step by step, or all the way. */

import {text} from "#page/texts/index.js";
import {createSlider, element} from "#page/views/elements.js";

const MILLISECONDS = 700;

/**
 * @param {{id: string, label: string, count: number, format: (function(number): string),
 *   change: (function(number): void), milliseconds?: number}} options
 */
export function createPlayer({id, label, count, format, change, milliseconds = MILLISECONDS}) {
  let position = 0, last = count - 1;
  const go = (to) => {
    position = Math.min(Math.max(to, 0), last);
    slider.show(position);
    change(position);
  };
  const slider = createSlider({
    id, label, min: 0, max: last, step: 1, value: 0, format, change: go,
  });
  const timer = createTimer(milliseconds, () => {
    if (position >= last || !root.isConnected) return false;
    go(position + 1);
    return true;
  }, () => root.describe());
  const add = (name, shown, click) => element("button", {
    type: "button", id: `${id}-${name}`, class: name, text: shown, click,
  });
  const previous = add("previous", "◀", () => go(position - 1));
  const next = add("next", "▶", () => go(position + 1));
  const play = add("play", "", () => {
    if (!timer.isRunning() && position >= last) go(0);
    timer.toggle();
  });
  const root = element("div", {class: "player"}, previous, play, next, slider);
  /** Show a position among others, without calling `change`. */
  root.show = (shown, others) => {
    last = Math.max(others - 1, 0);
    slider.querySelector("input").max = last;
    position = Math.min(shown, last);
    slider.show(position);
    return position;
  };
  /** Show the texts in the chosen language. */
  root.describe = () => {
    play.textContent = text(timer.isRunning() ? "playerPause" : "playerPlay");
    previous.setAttribute("aria-label", text("playerPrevious"));
    next.setAttribute("aria-label", text("playerNext"));
  };
  root.describe();
  return root;
}

/** Create a timer that runs until `step` returns false, and that tells when it starts or stops. */
function createTimer(milliseconds, step, tell) {
  let timer = null;
  const toggle = () => {
    if (timer === null) {
      timer = setInterval(() => {
        if (!step()) toggle();
      }, milliseconds);
    } else {
      clearInterval(timer);
      timer = null;
    }
    tell();
  };
  return {toggle, isRunning: () => timer !== null};
}
