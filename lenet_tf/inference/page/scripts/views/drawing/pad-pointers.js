/** Draws on the pad by mouse, touch and pen. */

import {SIDE} from "#page/views/drawing/strokes.js";

/** Milliseconds after a pen's last event in which a touch is that of a palm. */
const PALM_TIME = 1000;

/** @param {import("#page/views/drawing/pad.js").Pad} pad */
export function listenToPointers(pad) {
  const {canvas} = pad;
  let active = null, activeType = null, lastPen = -Infinity;
  const notePen = (event) => {
    if (event.pointerType === "pen") lastPen = event.timeStamp;
  };
  canvas.addEventListener("pointerdown", (event) => {
    notePen(event);
    if (!event.isPrimary || event.button !== 0) return;
    if (event.pointerType === "touch" && event.timeStamp - lastPen < PALM_TIME) return;
    if (active !== null) {
      if (event.pointerType !== "pen" || activeType !== "touch") return;
      pad.cancel();
    }
    active = event.pointerId;
    activeType = event.pointerType;
    canvas.setPointerCapture(active);
    pad.cursor = null;
    pad.start(...locate(canvas, event));
  });
  canvas.addEventListener("pointermove", (event) => {
    notePen(event);
    if (event.pointerId !== active) return;
    const events = event.getCoalescedEvents?.() ?? [];
    pad.move((events.length ? events : [event]).map((each) => locate(canvas, each)));
  });
  const stop = (event) => {
    if (event.pointerId !== active) return;
    active = null;
    notePen(event);
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
