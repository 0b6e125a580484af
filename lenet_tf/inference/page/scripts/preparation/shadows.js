/** Paper on both sides of the edge of a shadow. */

import {takeMedians, takeRingMedians} from "#page/preparation/filters.js";
import {computeThreshold, MIN_CONTRAST} from "#page/preparation/ink.js";
import {close} from "#page/preparation/morphology.js";
import {crop, findMaximum, findMinimum, findRim, pad} from "#page/preparation/planes.js";
import {computePercentile, roundHalfEven} from "#page/preparation/statistics.js";

// The edge of a shadow: the largest share of the rim that smooth light fits, the least contrast of
// light and shadow in shares of the light, and the least share of the rim on each side.
const MAX_FIT = 0.62, MIN_SHADOW = 0.15, MIN_ARC = 0.08;
// Sides of windows, in shares of the shorter side, in which there is paper beside each stroke: for
// the paper's brightness, and to compare dark strokes with light ones.
const SHADOW_WINDOW = 0.2, STROKE_WINDOW = 0.13;

/**
 * Find whether smooth light explains most of the rim, so that there is no edge of a shadow.
 *
 * @param {import("#page/preparation/planes.js").Plane} smoothed the picture, smoothed in the rim
 * @param {import("#page/preparation/planes.js").Plane} paper its paper's brightness
 * @returns {boolean}
 */
export function fitsRim({height, width, pixels}, paper) {
  const rim = findRim({height, width});
  let fits = 0;
  for (const at of rim) {
    if (Math.abs(Math.fround(pixels[at] - paper.pixels[at])) < MIN_CONTRAST / 2) fits++;
  }
  return fits / rim.length >= MAX_FIT || Math.min(height, width) < 8;
}

/**
 * Find whether the rim is dark along one piece.
 *
 * @param {import("#page/preparation/planes.js").Plane} smoothed the picture, smoothed
 * @returns {boolean}
 */
export function hasShadowEdge(smoothed) {
  let around = walkAround(smoothed);
  const step = Math.max(1, Math.floor(around.length / 256));
  around = around.filter((_, at) => at % step === 0);
  // Strokes and lines across the rim are short.
  around = takeRingMedians(around, Math.floor(around.length / 12) | 1);
  const low = computePercentile(around, 3, true), high = computePercentile(around, 97, true);
  if (high - low < Math.max(MIN_CONTRAST, MIN_SHADOW * high)) return false;
  const darkest = findMinimum(around), span = Math.fround(findMaximum(around) - darkest);
  const shares = around.map((value) => Math.fround(value - darkest) / span);
  const threshold = Math.fround(darkest + Math.fround(2 * span * computeThreshold(shares)));
  const isLight = Array.from(around, (value) => value > threshold);
  const edges = isLight.filter((each, at) => each !== isLight.at(at - 1)).length;
  const share = isLight.filter(Boolean).length / isLight.length;
  return edges === 2 && MIN_ARC < share && share < 1 - MIN_ARC;
}

/** @returns {Float32Array} the outermost pixels, clockwise from the top left. */
function walkAround({height, width, pixels}) {
  const around = [];
  for (let column = 0; column < width; column++) around.push(column);
  for (let row = 1; row < height; row++) around.push((row + 1) * width - 1);
  for (let column = width - 2; column >= 0; column--) around.push((height - 1) * width + column);
  for (let row = height - 2; row > 0; row--) around.push(row * width);
  return Float32Array.from(around, (at) => pixels[at]);
}

/**
 * Estimate the paper's brightness where the edge of a shadow lies on it.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture float32, gray levels 0…255
 * @param {import("#page/preparation/planes.js").Plane} smoothed the same, smoothed
 * @returns {{paper: import("#page/preparation/planes.js").Plane, isDark: boolean}}
 */
export function estimateShadowedPaper(picture, smoothed) {
  const isDark = hasDarkStrokes(smoothed);
  // A median keeps the edge as sharp as it is.
  const sharp = takeMedians(picture);
  const side = SHADOW_WINDOW * Math.min(picture.height, picture.width);
  return {paper: fillStrokes(sharp, isDark, side), isDark};
}

function hasDarkStrokes(smoothed) {
  const side = STROKE_WINDOW * Math.min(smoothed.height, smoothed.width);
  const [dark, light] = [true, false].map((isDark) => fillStrokes(smoothed, isDark, side).pixels
    .map((value, at) => Math.abs(Math.fround(value - smoothed.pixels[at]))));
  // Paper between ruled lines is narrow too, but has less contrast to them than ink has to paper.
  const least = Math.fround(
    Math.max(computePercentile(dark, 99.5), computePercentile(light, 99.5)) / 2,
  );
  const count = (values) => values.reduce((total, value) => total + (value > least), 0);
  // There is more light paper between strokes than there is dark paper.
  return 3 * count(dark) >= count(light);
}

/**
 * Fill what is narrower than a square window with what is around it.
 *
 * Windows may reach beyond the picture, so that the edge of a shadow keeps its place at the rim.
 */
function fillStrokes(smoothed, isDark, side) {
  if (!isDark) return negate(fillStrokes(negate(smoothed), true, side));
  const window = Math.max(3, roundHalfEven(side));
  const padded = pad(smoothed, window, window, findMinimum(smoothed.pixels));
  const {height, width} = smoothed;
  const box = {top: window, left: window, bottom: window + height, right: window + width};
  return crop(close(padded, window, window), box);
}

function negate({height, width, pixels}) {
  return {height, width, pixels: pixels.map((value) => -value)};
}
