/** Draws on the pad by keyboard: arrow keys move the pen, the space bar lowers and lifts it. */

import {SIDE} from "#page/views/drawing/strokes.js";

const STEPS = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
};
const STEP = 14, SMALL_STEP = 4;

/** @param {import("#page/views/drawing/pad.js").Pad} pad */
export function listenToKeys(pad) {
  const {canvas} = pad;
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!handleKey(pad, event)) return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => {
    if (!pad.cursor) return;
    pad.cursor = null;
    if (pad.isDrawing) pad.end();
    else pad.paint();
  });
}

/** @returns {boolean} whether the key means something here. */
function handleKey(pad, {key, shiftKey}) {
  const step = STEPS[key], isPointerDown = pad.isDrawing && !pad.cursor;
  if (isPointerDown && (step || key === " ")) return true;
  if (step) movePen(pad, step.map((part) => part * (shiftKey ? SMALL_STEP : STEP)));
  else if (key === " ") togglePen(pad);
  else if (key === "Escape" && pad.isDrawing) pad.end();
  else if (key === "Backspace") pad.undo();
  else if (key === "Delete") pad.clear();
  else return false;
  return true;
}

function movePen(pad, [right, down]) {
  const [x, y] = pad.cursor ?? [SIDE / 2, SIDE / 2];
  pad.cursor = [x + right, y + down].map((value) => Math.min(Math.max(value, 0), SIDE));
  if (pad.isDrawing) pad.move([pad.cursor]);
  else pad.paint();
}

function togglePen(pad) {
  pad.cursor ??= [SIDE / 2, SIDE / 2];
  pad.say(pad.isDrawing ? "penUp" : "penDown");
  if (pad.isDrawing) pad.end();
  else pad.start(...pad.cursor);
}
