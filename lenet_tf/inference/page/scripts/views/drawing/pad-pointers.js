/** Draws on the pad by mouse, touch and pen. */

import {SIDE} from "#page/views/drawing/strokes.js";

/** @param {import("#page/views/drawing/pad.js").Pad} pad */
export function listenToPointers(pad) {
  const {canvas} = pad;
  let active = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (active !== null || !event.isPrimary || event.button !== 0) return;
    active = event.pointerId;
    canvas.setPointerCapture(active);
    pad.cursor = null;
    pad.start(...locate(canvas, event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== active) return;
    const events = event.getCoalescedEvents?.() ?? [];
    pad.move((events.length ? events : [event]).map((each) => locate(canvas, each)));
  });
  const stop = (event) => {
    if (event.pointerId !== active) return;
    active = null;
    pad.end();
  };
  canvas.addEventListener("pointerup", stop);
  canvas.addEventListener("pointercancel", stop);
}

/** @returns {[number, number]} a pointer's place in the pad's units. */
function locate(canvas, {clientX, clientY}) {
  const {left, top, width, height} = canvas.getBoundingClientRect();
  const {clientLeft, clientTop} = canvas;
  return [
    (clientX - left - clientLeft) / (width - 2 * clientLeft) * SIDE,
    (clientY - top - clientTop) / (height - 2 * clientTop) * SIDE,
  ];
}
