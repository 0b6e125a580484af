/** Strokes of a pen as points, and the history of what was drawn. */

/** The pad's side in its own units; the picture that is prepared has as many pixels. */
export const SIDE = 280;
/** Points that are closer to the last one are left out. */
const MIN_DISTANCE = 0.7;

/**
 * @typedef {object} Stroke
 * @property {[number, number][]} points (x, y) in 0…SIDE
 * @property {number} width of the pen, in the same units
 * @property {?string} color of colored drawings, such as "#0b5fa5"
 */

/**
 * @typedef {object} History
 * @property {Stroke[][]} past drawings before each change
 * @property {Stroke[]} present the drawing
 * @property {Stroke[][]} future drawings that were undone
 */

/** @type {History} */
export const NO_HISTORY = Object.freeze({past: [], present: [], future: []});

/** @returns {History} the history after a change of the drawing. */
export function change({past, present}, drawing) {
  return {past: [...past, present], present: drawing, future: []};
}

/** @returns {History} the history one change earlier. */
export function undo({past, present, future}) {
  if (!past.length) return {past, present, future};
  return {past: past.slice(0, -1), present: past.at(-1), future: [present, ...future]};
}

/** @returns {History} the history one change later. */
export function redo({past, present, future}) {
  if (!future.length) return {past, present, future};
  return {past: [...past, present], present: future[0], future: future.slice(1)};
}

/** Add a point to a stroke, unless it is where the last one is. */
export function addPoint(stroke, x, y) {
  const last = stroke.points.at(-1);
  if (last && Math.hypot(x - last[0], y - last[1]) < MIN_DISTANCE) return;
  stroke.points.push([x, y]);
}

/**
 * Trace a stroke on a canvas: round, and smooth between the points.
 *
 * @param {CanvasRenderingContext2D} context scaled to the pad's units
 * @param {Stroke} stroke
 * @param {string} color
 */
export function traceStroke(context, {points, width}, color) {
  const [[x, y]] = points;
  context.strokeStyle = context.fillStyle = color;
  context.beginPath();
  if (points.length === 1) {
    context.arc(x, y, width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.moveTo(x, y);
  for (let i = 1; i < points.length - 1; i++) {
    const [atX, atY] = points[i], [nextX, nextY] = points[i + 1];
    context.quadraticCurveTo(atX, atY, (atX + nextX) / 2, (atY + nextY) / 2);
  }
  context.lineTo(...points.at(-1));
  context.stroke();
}
