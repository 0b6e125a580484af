/** Selects a digit's strokes among all the ink of a picture: frames, dirt and other digits. */

import {computeDistances} from "#page/preparation/distances.js";
import {cutLabel, fillHoles, labelParts} from "#page/preparation/labels.js";
import {removeMarks} from "#page/preparation/marks.js";
import {widen} from "#page/preparation/morphology.js";
import {PictureError} from "#page/preparation/picture-error.js";
import {crop, exceed, findBox, findMaximum, heightOf, pad, walkSides, widthOf} from
  "#page/preparation/planes.js";
import {roundHalfEven} from "#page/preparation/statistics.js";

// Parts with less than this share of the largest stroke's area are dirt.
const MIN_AREA = 0.03;
// A part at the picture's rim is no digit if another has at least this share of its area.
const MIN_AREA_INSIDE = 0.25;
// Parts that are closer than this share of the picture's longer side belong together.
const MAX_BREAK = 0.02;
// Several digits: least height and least gap, in shares of the tallest. A digit may be half as tall
// as another, and the dots and bars beside a digit's main stroke are lower.
const MIN_DIGIT_HEIGHT = 0.4, MIN_DIGIT_GAP = 0.08;
// A digit's least share of the height of all ink, which keeps specks out, and the height of two
// digits, one above the other, in shares of their width.
const MIN_SHARE = 0.2, MIN_STACK = 1.3, MAX_STACK = 4;
// Thickness of a blob in shares of its longer side; digits in MNIST stay below 0.7.
const MIN_BLOB = 0.8;
// Least side of a frame in pixels, to hold a digit.
const MIN_FRAME_PIXELS = 16;
// Least side of a frame in shares of the picture's, and least share of its box that it fills.
const MIN_FRAME_SIDE = 0.3, MIN_FRAME_AREA = 0.97;
// Shares of that area: of the hole in an empty frame, and of the ink around spared strokes.
const MIN_HOLE = 0.6, MIN_PANEL = 0.75;
/** Less ink, which widened strokes leave beside them, is no part of a stroke. */
export const MIN_INK = Math.fround(0.3);

/**
 * Find the inside of a rectangular frame, or of a rectangle with strokes of another brightness.
 *
 * Plots have frames, and a sheet of paper on a table is such a rectangle.
 *
 * @param {import("#page/preparation/planes.js").Plane} ink 0 paper … 1 ink
 * @returns {?import("#page/preparation/planes.js").Box}
 */
export function findFrame(ink) {
  const drawn = findBox(ink), labels = labelParts(crop(ink, drawn));
  for (const [index, box] of labels.boxes.entries()) {
    const height = heightOf(box), width = widthOf(box);
    if (Math.min(height, width) < MIN_FRAME_PIXELS
        || Math.min(height / ink.height, width / ink.width) < MIN_FRAME_SIDE) continue;
    const inside = findInside(cutLabel(labels, index + 1, box));
    if (!inside) continue;
    const top = drawn.top + box.top, left = drawn.left + box.left;
    return {
      top: top + inside.top + 1, left: left + inside.left + 1,
      bottom: top + inside.bottom - 1, right: left + inside.right - 1,
    };
  }
  return null;
}

function findInside(part) {
  const filled = fillHoles(part);
  // Ticks stick out of a plot's frame.
  const core = findCore(filled), area = heightOf(core) * widthOf(core);
  // Bold digits and round ones nearly fill their box.
  if (area < 0.8 * filled.pixels.length) return null;
  const inner = crop(filled, core), ink = crop(part, core);
  if (count(inner.pixels) / area < MIN_FRAME_AREA) return null;
  const holes = {...inner, pixels: inner.pixels.map((value, at) => value & ~ink.pixels[at])};
  for (const hole of labelParts(holes, false).boxes) {
    if (heightOf(hole) * widthOf(hole) >= MIN_HOLE * area) {
      return {
        top: core.top + hole.top, left: core.left + hole.left,
        bottom: core.top + hole.bottom, right: core.left + hole.right,
      };
    }
  }
  return count(ink.pixels) / area >= MIN_PANEL ? core : null;
}

/** @returns the rows and columns of which more than half is filled, and what is between them. */
function findCore({height, width, pixels}) {
  const rows = new Int32Array(height), columns = new Int32Array(width);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      rows[row] += pixels[at];
      columns[column] += pixels[at];
    }
  }
  const [top, bottom] = span(rows, (each) => each / width > 0.5);
  const [left, right] = span(columns, (each) => each / height > 0.5);
  return {top, left, bottom, right};
}

function span(values, isInside) {
  const first = values.findIndex(isInside);
  return first < 0 ? [0, 0] : [first, values.findLastIndex(isInside) + 1];
}

const count = (mask) => mask.reduce((total, value) => total + value, 0);

/**
 * Keep the strokes of the one digit, without dirt, marks and what touches the rim.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture 0 paper … 1 ink, with some ink
 * @param {import("#page/preparation/planes.js").Box} box the rows and columns with ink
 * @returns {import("#page/preparation/planes.js").Plane} only the strokes, cropped to this box
 */
export function selectStrokes(picture, box) {
  const ink = crop(picture, box), {height, width, pixels} = ink;
  // A small gap connects too: pens skip.
  const radius = roundHalfEven((MAX_BREAK * Math.max(picture.height, picture.width)) / 2);
  const labels = labelParts(widen(ink, radius)), areas = new Float64Array(labels.boxes.length + 1);
  for (let at = 0; at < pixels.length; at++) {
    if (pixels[at] > 0) areas[labels.pixels[at]] += pixels[at];
  }
  const isAtRim = new Set(
    walkSides(ink).filter((at) => pixels[at] > 0 && isOutermost(at, box, picture))
      .map((at) => labels.pixels[at]),
  );
  const inside = findMaximum(areas.filter((_, label) => !isAtRim.has(label)), 0);
  const atRim = findMaximum(areas.filter((_, label) => isAtRim.has(label)), 0);
  if (inside > 0 && inside >= MIN_AREA_INSIDE * atRim) {
    for (const label of isAtRim) areas[label] = 0;
  }
  const least = MIN_AREA * findMaximum(areas);
  const kept = pixels.slice();
  for (let at = 0; at < kept.length; at++) {
    if (kept[at] > 0 && areas[labels.pixels[at]] < least) kept[at] = 0;
  }
  return removeMarks({height, width, pixels: kept});
}

/** @returns {boolean} whether a position in a box lies at a side of the picture. */
function isOutermost(at, box, {height, width}) {
  const row = box.top + Math.floor(at / widthOf(box)), column = box.left + (at % widthOf(box));
  return !row || !column || row === height - 1 || column === width - 1;
}

/**
 * Check that ink can be one digit.
 *
 * @param {import("#page/preparation/planes.js").Plane} ink cropped to the ink
 * @throws {PictureError} several digits lie beside or below each other, or there is only a dot
 */
export function checkSingleDigit(ink) {
  if (countDigits(ink) > 1) throw new PictureError("several");
  const distances = computeDistances(pad(exceed(ink, MIN_INK), 1, 1)).pixels;
  if (2 * findMaximum(distances) >= MIN_BLOB * Math.max(ink.height, ink.width)) {
    throw new PictureError("dot");
  }
}

/** Count the digits that lie beside or below each other, with an empty band between them. */
function countDigits(ink) {
  const {boxes} = labelParts(ink), {height, width} = ink;
  const tallest = Math.max(...boxes.map(heightOf));
  const least = Math.max(MIN_DIGIT_HEIGHT * tallest, MIN_SHARE * height);
  const gap = MIN_DIGIT_GAP * tallest;
  const beside = countGroups(boxes, "left", "right", least, gap);
  // A single digit in two pieces is wider, such as a 5, or narrower, such as a 1.
  const isStack = MIN_STACK * width <= height && height <= MAX_STACK * width;
  return Math.max(1, beside, isStack ? countGroups(boxes, "top", "bottom", least, gap) : 0);
}

/** Count the groups of boxes, with a gap between them along an axis, that have a tall one. */
function countGroups(boxes, start, stop, least, gap) {
  let groups = 0, end = -Infinity, hasTall = false;
  for (const box of [...boxes].sort((first, second) => first[start] - second[start])) {
    hasTall = hasTall && box[start] - end < gap;
    const isTall = heightOf(box) >= least;
    if (isTall && !hasTall) groups++;
    hasTall = hasTall || isTall;
    end = Math.max(end, box[stop]);
  }
  return groups;
}
