/** Makes a digit image like those of MNIST from ink. */

import {computeDistances} from "#page/preparation/distances.js";
import {dilate, dilateByDisk} from "#page/preparation/morphology.js";
import {exceed, pad} from "#page/preparation/planes.js";
import {BOX, CENTER, SIZE} from "#page/preparation/prepared-digit.js";
import {resizeFloats} from "#page/preparation/resize.js";
import {computeMedian, computePercentile, roundHalfEven, sum} from
  "#page/preparation/statistics.js";
import {MIN_INK} from "#page/preparation/strokes.js";

// Thin strokes are widened to this width in the box of 20 pixels. Images then have as much ink
// as those of MNIST.
const STROKE_WIDTH = 2.8;
// Strokes count as thin below this width, which those of enlarged digits of MNIST exceed.
const THIN_WIDTH = 1.5;
// Strokes are widened in a box of at most this side.
const MAX_BOX = 120;

/**
 * Turn the ink of one digit into a digit image.
 *
 * @param {import("#page/preparation/planes.js").Plane} ink 0 paper … 1 ink, cropped to the digit
 * @returns {import("#page/store.js").RawImage} 28 × 28, 0 background … 255 ink
 */
export function toDigitImage(ink) {
  const isLarge = Math.max(ink.height, ink.width) > MAX_BOX;
  return center(scaleToBox(thicken(isLarge ? scaleTo(ink, MAX_BOX, "box") : ink)));
}

/** Scale the longer side to a number of pixels. */
function scaleTo(plane, side, filter) {
  const longer = Math.max(plane.height, plane.width);
  const [height, width] = [plane.height, plane.width].map(
    (size) => Math.max(1, roundHalfEven((size * side) / longer)),
  );
  return resizeFloats(plane, height, width, filter);
}

/** Widen the strokes of a thin pen, which would vanish when they are scaled to the box. */
function thicken(ink) {
  const scale = BOX / Math.max(ink.height, ink.width);
  const distances = computeDistances(pad(exceed(ink, MIN_INK), 1, 1));
  const nearby = dilate(distances, 3, 3).pixels;
  // A stroke is twice as wide as its middle line is far from the edge.
  const ridges = distances.pixels.filter((value, at) => value > 0 && value === nearby[at]);
  const width = ridges.length ? 2 * computeMedian(ridges) - 1 : 1;
  const missing = STROKE_WIDTH / scale - width;
  if (missing < 1 || width * scale >= THIN_WIDTH) return ink;
  const radius = Math.max(1, roundHalfEven(missing / 2));
  return dilateByDisk(pad(ink, radius, radius), radius);
}

/** Scale the longer side to 20 pixels, and full strokes back to 1. */
function scaleToBox(ink) {
  const {height, width, pixels} = scaleTo(ink, BOX, "bicubic");
  const full = Math.fround(Math.max(computePercentile(pixels, 97), 1e-6));
  return {height, width, pixels: pixels.map((value) => Math.min(1, Math.max(0, value / full)))};
}

/** Place the center of mass in the middle. */
function center(box) {
  const {height, width, pixels} = box, total = sum(pixels);
  const rows = Float64Array.from(pixels, (value, at) => value * Math.floor(at / width));
  const columns = Float64Array.from(pixels, (value, at) => value * (at % width));
  const top = place(sum(rows) / total, height), left = place(sum(columns) / total, width);
  const image = {height: SIZE, width: SIZE, channels: 1, pixels: new Uint8Array(SIZE * SIZE)};
  for (let at = 0; at < pixels.length; at++) {
    const row = top + Math.floor(at / width), column = left + (at % width);
    image.pixels[row * SIZE + column] = roundHalfEven(Math.fround(255 * pixels[at]));
  }
  return image;
}

const place = (middle, side) => Math.min(Math.max(roundHalfEven(CENTER - middle), 0), SIZE - side);
