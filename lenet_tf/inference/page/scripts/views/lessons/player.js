/** A slider with buttons that move it step by step, or all the way. */

import {text} from "#page/texts/index.js";
import {createSlider, element} from "#page/views/elements.js";

const MILLISECONDS = 700;

/**
 * @param {{id: string, label: string, count: number, format: (function(number): string),
 *   change: (function(number): void), milliseconds?: number}} options
 */
export function createPlayer({id, label, count, format, change, milliseconds = MILLISECONDS}) {
  let timer = null, position = 0, last = count - 1;
  const go = (to) => {
    position = Math.min(Math.max(to, 0), last);
    slider.show(position);
    change(position);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    describe();
  };
  const slider = createSlider({
    id, label, min: 0, max: last, step: 1, value: 0, format,
    change: (value) => {
      position = value;
      change(value);
    },
  });
  const input = slider.querySelector("input");
  const play = element("button", {
    type: "button", id: `${id}-play`, class: "play",
    click: () => {
      if (timer) return stop();
      if (position >= last) go(0);
      timer = setInterval(() => {
        if (position >= last || !root.isConnected) stop();
        else go(position + 1);
      }, milliseconds);
      describe();
    },
  });
  const move = (step) => element("button", {
    type: "button", id: `${id}-${step > 0 ? "next" : "previous"}`, text: step > 0 ? "▶" : "◀",
    click: () => go(position + step),
  });
  const previous = move(-1), next = move(1);
  const describe = () => {
    play.textContent = text(timer ? "playerPause" : "playerPlay");
    previous.setAttribute("aria-label", text("playerPrevious"));
    next.setAttribute("aria-label", text("playerNext"));
  };
  const root = element("div", {class: "player"}, previous, play, next, slider);
  /** Show a position among others, without calling `change`. */
  root.show = (shown, others) => {
    last = others - 1;
    input.max = Math.max(last, 0);
    position = Math.min(shown, Math.max(last, 0));
    slider.show(position);
    return position;
  };
  root.describe = describe;
  describe();
  return root;
}
