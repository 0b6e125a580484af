/** Finds the ink of a picture, and the strokes of its digit. */

import {toInk} from "#page/preparation/ink.js";
import {removeLines} from "#page/preparation/lines.js";
import {estimatePaper, refinePaper, subtractPaper} from "#page/preparation/paper.js";
import {PictureError} from "#page/preparation/picture-error.js";
import {crop, findBox, heightOf, toFloats, widthOf} from "#page/preparation/planes.js";
import {resizeBytes} from "#page/preparation/resize.js";
import {roundHalfEven} from "#page/preparation/statistics.js";
import {findFrame, selectStrokes} from "#page/preparation/strokes.js";

// Larger pictures are scaled down to this side first, which is enough for a box of 20 pixels.
const MAX_SIDE = 400;
// A smaller digit in a picture that was scaled down is looked at more closely, …
const MIN_SIDE = 60;
// … as is what is in a frame, up to so many times.
const MAX_DEPTH = 3;

/**
 * Separate the ink of a picture from its paper and lines.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture gray uint8
 * @param {number} maxSide a longer side is scaled down to it
 * @param {number} depth how many frames around the ink are removed
 * @returns {{ink: import("#page/preparation/planes.js").Plane, top: number, left: number,
 *   scale: number}} 0 paper … 1 ink, where it begins in the picture, and pixels of the picture
 *   along a pixel of ink
 * @throws {PictureError} nothing is drawn
 */
export function extractInk(picture, maxSide = MAX_SIDE, depth = MAX_DEPTH) {
  const scaled = scaleDown(picture, maxSide);
  const scale = Math.max(picture.height, picture.width) / Math.max(scaled.height, scaled.width);
  const {paper, isDark} = estimatePaper(scaled);
  const contrast = subtractPaper(scaled, paper, isDark);
  const ink = depth ? toInk(contrast) : null;
  const frame = ink && findFrame(ink);
  if (frame) {
    const box = scaleBox(frame, scale), found = extractInside(picture, box, maxSide, depth - 1);
    if (found) return {...found, top: box.top + found.top, left: box.left + found.left};
  }
  const refined = refinePaper(scaled, paper, isDark);
  const uneven = refined === paper ? contrast : subtractPaper(scaled, refined, isDark);
  const cleaned = removeLines(uneven);
  return {ink: ink && cleaned === contrast ? ink : toInk(cleaned), top: 0, left: 0, scale};
}

/** @returns the ink in a frame, or null if there is none: the frame itself is what is drawn. */
function extractInside(picture, box, maxSide, depth) {
  try {
    return extractInk(crop(picture, box), maxSide, depth);
  } catch (error) {
    if (error instanceof PictureError) return null;
    throw error;
  }
}

function scaleDown(picture, maxSide) {
  const longest = Math.max(picture.height, picture.width);
  if (longest <= maxSide) return toFloats(picture);
  const [height, width] = [picture.height, picture.width].map(
    (side) => Math.max(1, roundHalfEven((side * maxSide) / longest)),
  );
  return toFloats(resizeBytes({...picture, channels: 1}, height, width, "box"));
}

function scaleBox(box, scale) {
  const [top, left, bottom, right] = [box.top, box.left, box.bottom, box.right].map(
    (each) => roundHalfEven(each * scale),
  );
  return {top, left, bottom, right};
}

/**
 * Find the strokes of a picture's digit.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture gray uint8
 * @returns {import("#page/preparation/planes.js").Plane} 0 paper … 1 ink, cropped to it
 * @throws {PictureError} nothing is drawn
 */
export function extractStrokes(picture, depth = MAX_DEPTH) {
  const found = extractInk(picture, MAX_SIDE, depth);
  const drawn = findBox(found.ink), ink = selectStrokes(found.ink, drawn), box = findBox(ink);
  const side = Math.max(heightOf(box), widthOf(box));
  if (!depth || side >= MIN_SIDE || found.scale <= 1) return crop(ink, box);
  const around = scaleBox({
    top: Math.max(0, drawn.top + box.top - side),
    left: Math.max(0, drawn.left + box.left - side),
    bottom: drawn.top + box.bottom + side,
    right: drawn.left + box.right + side,
  }, found.scale);
  return extractStrokes(crop(picture, {
    top: around.top + found.top, left: around.left + found.left,
    bottom: around.bottom + found.top, right: around.right + found.left,
  }), depth - 1);
}
