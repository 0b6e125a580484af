/** Separates ink from paper whose brightness is known. */

import {smooth, smoothRim} from "#page/preparation/filters.js";
import {PictureError} from "#page/preparation/picture-error.js";
import {createPlane, findMaximum, findRim, take} from "#page/preparation/planes.js";
import {estimateDeviation} from "#page/preparation/statistics.js";

/** Gray levels between ink and paper; a picture with less contrast is empty. */
export const MIN_CONTRAST = 12;
// Contrast in standard deviations of the paper's noise, below which there is only noise.
const MIN_SIGNAL = 6;
// Estimated standard deviation of the rim, up to which paper counts as clean.
const CLEAN_DEVIATION = 2;
// What a Gaussian filter of one pixel leaves of independent noise.
const SMOOTHED_NOISE = 0.28;
const BINS = 64;

/**
 * Scale gray levels between paper and ink, and set the paper to 0.
 *
 * @param {import("#page/preparation/planes.js").Plane} contrast float32
 * @returns {import("#page/preparation/planes.js").Plane} float32, 0 paper … 1 ink
 * @throws {PictureError} nothing is drawn
 */
export function toInk(contrast) {
  const {height, width} = contrast;
  let noise = measureNoise(contrast), {pixels} = contrast;
  if (noise > CLEAN_DEVIATION) {
    // Smooth noise away, but not on clean paper, where smoothing would break a thin line.
    ({pixels} = smooth(contrast));
    noise *= SMOOTHED_NOISE;
  }
  const top = findMaximum(pixels, 0);
  if (top < Math.max(MIN_CONTRAST, MIN_SIGNAL * noise)) throw new PictureError("nothing");
  const ink = createPlane(height, width);
  for (let at = 0; at < pixels.length; at++) ink.pixels[at] = Math.max(pixels[at], 0) / top;
  const threshold = computeThreshold(ink.pixels);
  for (let at = 0; at < pixels.length; at++) {
    if (ink.pixels[at] < threshold) ink.pixels[at] = 0;
  }
  return ink;
}

function measureNoise(contrast) {
  const rim = findRim(contrast), noise = take(contrast.pixels, rim);
  const smoothed = take(smoothRim(contrast).pixels, rim);
  for (let at = 0; at < noise.length; at++) noise[at] -= smoothed[at];
  return estimateDeviation(noise);
}

/**
 * Compute half of Otsu's threshold, so that soft edges remain.
 *
 * @param {Float32Array} values 0 paper … 1 ink
 * @returns {number}
 */
export function computeThreshold(values) {
  const counts = new Float64Array(BINS);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    counts[value >= 1 ? BINS - 1 : value > 0 ? (value * BINS) | 0 : 0]++;
  }
  const below = new Float64Array(BINS), sums = new Float64Array(BINS);
  for (let bin = 0; bin < BINS; bin++) {
    below[bin] = (bin ? below[bin - 1] : 0) + counts[bin];
    sums[bin] = (bin ? sums[bin - 1] : 0) + counts[bin] * ((2 * bin + 1) / (2 * BINS));
  }
  let best = -1, threshold = 0;
  for (let bin = 0; bin < BINS - 1; bin++) {
    const above = values.length - below[bin];
    const difference = sums[bin] / below[bin] - (sums[BINS - 1] - sums[bin]) / above;
    // What is not a number, where one side is empty, is no maximum.
    const variance = below[bin] * above * (difference * difference);
    if (variance > best) {
      best = variance;
      threshold = (bin + 1) / (2 * BINS);
    }
  }
  return threshold;
}
