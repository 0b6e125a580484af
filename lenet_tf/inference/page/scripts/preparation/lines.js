/** Removes the lines of ruled and squared paper, and of frames, from the ink. */

import {averageRows} from "#page/preparation/filters.js";
import {computeThreshold} from "#page/preparation/ink.js";
import {cutLabel, labelParts} from "#page/preparation/labels.js";
import {dilate, open} from "#page/preparation/morphology.js";
import {createPlane, crop, findMaximum, hasInk, pad, transpose, widthOf} from
  "#page/preparation/planes.js";
import {roundHalfEven} from "#page/preparation/statistics.js";

// In shares of the side along a line: its least straight run, its least visible length, and how
// far from the picture's sides it may end.
const MIN_RUN = 0.15, MIN_LENGTH = 0.3, MAX_GAP = 0.035;
// Thickness of a line in shares of the picture's longer side, which counts as at most so many times
// the shorter side: a row of digits is wide.
const MAX_THICKNESS = 0.012, MAX_ASPECT = 2;
// Least brightness of a line in shares of what counts as ink.
const MAX_FAINTNESS = 0.8;
// Share of the side along a line whose mean is taken, against noise. A longer one would let a small
// digit's strokes reach the picture's sides.
const SMOOTHING = 0.025;

/**
 * Remove the lines of ruled and squared paper, and of frames.
 *
 * A line is thin and straight, and reaches from one side of the picture to the other. Where it
 * crosses a stroke, the stroke is kept.
 *
 * @param {import("#page/preparation/planes.js").Plane} ink float32
 * @returns {import("#page/preparation/planes.js").Plane} the same plane if there are no lines
 */
export function removeLines(ink) {
  const {height, width} = ink, all = {top: 0, left: 0, bottom: height, right: width};
  const across = measureReach(width, height), down = measureReach(height, width);
  let cleaned = ink;
  if (hasInk(ink, {...all, right: across}) && hasInk(ink, {...all, left: width - across})) {
    cleaned = removeHorizontalLines(ink);
  }
  if (hasInk(cleaned, {...all, bottom: down}) && hasInk(cleaned, {...all, top: height - down})) {
    const turned = transpose(cleaned), upright = removeHorizontalLines(turned);
    if (upright !== turned) return transpose(upright);
  }
  return cleaned;
}

const measureGap = (side) => Math.max(1, Math.trunc(MAX_GAP * side) + 1);

const measureMean = (side, other) => Math.max(
  1, roundHalfEven(SMOOTHING * Math.min(side, MAX_ASPECT * Math.min(side, other))),
);

/** @returns {number} how far from a side of the picture the ink of a line begins. */
const measureReach = (side, other) => Math.min(side, measureGap(side) + measureMean(side, other));

function removeHorizontalLines(ink) {
  const {height, width} = ink, shorter = Math.min(height, width);
  const longer = Math.min(Math.max(height, width), MAX_ASPECT * shorter);
  const thickness = Math.max(1, roundHalfEven(MAX_THICKNESS * longer));
  if (shorter < 4 * thickness + 4) return ink;
  // Beyond the picture there is no ink, so that a line at its rim is thin too.
  const shift = thickness + 1, padded = pad(ink, shift, 0), {pixels} = padded;
  const lines = findHorizontalLines(padded, thickness);
  if (!lines) return ink;
  const cleaned = createPlane(height, width), jump = shift * width;
  for (let at = 0; at < cleaned.pixels.length; at++) {
    // One place is above, the other below.
    cleaned.pixels[at] = lines[at + jump]
      ? Math.min(pixels[at], pixels[at + 2 * jump]) : pixels[at + jump];
  }
  return cleaned;
}

/** @returns {?Uint8Array} a mask of the lines, if there are some. */
function findHorizontalLines(ink, thickness) {
  const {height, width} = ink;
  const positive = {height, width, pixels: ink.pixels.map((value) => Math.max(value, 0))};
  const smoothed = averageRows(positive, measureMean(width, height));
  const top = findMaximum(smoothed.pixels);
  if (top <= 0) return null;
  const threshold = top * computeThreshold(smoothed.pixels.map((value) => value / top));
  const mask = reach(smoothed, Math.fround(MAX_FAINTNESS * threshold));
  if (!reachesBothSides(mask)) return null;
  const wide = open(mask, thickness + 1, 1).pixels;
  const strokes = open(reach(ink, Math.fround(threshold)), thickness + 1, 1).pixels;
  const labels = labelParts(findRuns(mask));
  const lines = new Uint8Array(height * width);
  let isEmpty = true;
  labels.boxes.forEach((box, index) => {
    const line = cutLabel(labels, index + 1, box);
    const reaches = box.left <= MAX_GAP * width && box.right >= (1 - MAX_GAP) * width;
    if (!reaches || countVisible(line, box, mask, wide) < MIN_LENGTH * width) return;
    isEmpty = false;
    for (let at = 0; at < line.pixels.length; at++) {
      const place = toPlace(at, box, width);
      // The mean has widened the strokes along the lines.
      if (line.pixels[at] && !strokes[place]) lines[place] = 1;
    }
  });
  return isEmpty ? null : lines;
}

function reach({height, width, pixels}, level) {
  const mask = createPlane(height, width, Uint8Array);
  for (let at = 0; at < pixels.length; at++) mask.pixels[at] = pixels[at] >= level ? 1 : 0;
  return mask;
}

function reachesBothSides(mask) {
  const {height, width} = mask, gap = measureGap(width);
  return hasInk(mask, {top: 0, left: 0, bottom: height, right: gap})
    && hasInk(mask, {top: 0, left: Math.max(0, width - gap), bottom: height, right: width});
}

/** Keep straight runs; a slightly tilted line is a straight run of a thicker one. */
function findRuns(mask) {
  const {height, width} = mask, run = Math.max(3, roundHalfEven(MIN_RUN * width));
  const tall = pad(mask, 1, 0), wide = createPlane(height, width + 2 * run, Uint8Array);
  const thick = dilate(tall, 3, 1).pixels;
  for (let row = 0; row < height; row++) {
    const line = thick.subarray((row + 1) * width, (row + 2) * width), start = row * wide.width;
    wide.pixels.fill(line[0], start, start + run);
    wide.pixels.set(line, start + run);
    wide.pixels.fill(line[width - 1], start + run + width, start + wide.width);
  }
  return crop(open(wide, 1, run), {top: 0, left: run, bottom: height, right: run + width});
}

/** @returns {number} columns where a line is thin, so that it can be told from strokes. */
function countVisible(line, box, mask, wide) {
  const columns = new Set();
  for (let at = 0; at < line.pixels.length; at++) {
    const place = toPlace(at, box, mask.width);
    if (line.pixels[at] && mask.pixels[place] && !wide[place]) columns.add(at % line.width);
  }
  return columns.size;
}

/** @returns {number} the position in a plane of a position in a box. */
function toPlace(at, box, width) {
  const columns = widthOf(box);
  return (box.top + Math.floor(at / columns)) * width + box.left + (at % columns);
}
