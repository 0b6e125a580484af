/** Estimates the brightness of the paper, also where the light falls off across it. */

import {smooth, smoothRim} from "#page/preparation/filters.js";
import {MIN_CONTRAST} from "#page/preparation/ink.js";
import {solveSymmetric} from "#page/preparation/least-squares.js";
import {close, open} from "#page/preparation/morphology.js";
import {createPlane, findMaximum, findMinimum, findRim, subtract, take} from
  "#page/preparation/planes.js";
import {resizeFloats} from "#page/preparation/resize.js";
import {estimateShadowedPaper, fitsRim, hasShadowEdge} from "#page/preparation/shadows.js";
import {computeMedian, estimateDeviation, roundHalfEven, sum} from
  "#page/preparation/statistics.js";

// The light is fitted to a copy of at most this side.
const FIT_SIDE = 64;
// Share of the rim that it must fit better than even light does.
const MIN_GAIN = 0.1;
// Weighted fits, the first half of them to the rim.
const FIT_STEPS = 12;
const TERMS = 6;
// Least share of the brightest light, so that noise in the dark is not enlarged.
const MIN_LIGHT = Math.fround(0.2);

/**
 * Estimate the brightness of the paper, also on both sides of the edge of a shadow.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture float32, gray levels 0…255
 * @returns {{paper: import("#page/preparation/planes.js").Plane, isDark: boolean}} the paper's
 *   brightness, and whether strokes are darker
 */
export function estimatePaper(picture) {
  const paper = fitPaper(picture);
  if (!fitsRim(smoothRim(picture), paper)) {
    const smoothed = smooth(picture);
    if (hasShadowEdge(smoothed)) return estimateShadowedPaper(picture, smoothed);
  }
  return {paper, isDark: areStrokesDark(picture, paper)};
}

function areStrokesDark(picture, paper) {
  // A mean is not larger than all of its values.
  if (findMaximum(picture.pixels) <= findMinimum(paper.pixels)) return true;
  if (findMinimum(picture.pixels) >= findMaximum(paper.pixels)) return false;
  const darker = subtract(paper, smooth(picture)).pixels, lighter = darker.slice();
  for (let at = 0; at < darker.length; at++) {
    lighter[at] = darker[at] < 0 ? darker[at] * darker[at] : 0;
    darker[at] = darker[at] > 0 ? darker[at] * darker[at] : 0;
  }
  return sum(darker) >= sum(lighter);
}

/** Fit a quadratic surface to the brightness of the paper, first to that of the rim. */
function fitPaper(picture) {
  const {height, width} = picture, scale = Math.min(1, FIT_SIDE / Math.max(height, width));
  const [low, narrow] = [height, width].map((side) => Math.max(1, roundHalfEven(side * scale)));
  const small = resizeFloats(picture, low, narrow, "box");
  const values = new Float64Array(small.pixels), rim = findRim(small);
  // A line along the rim hides the paper beside it.
  const median = computeMedian(take(values, rim));
  const even = measureFit(values, new Float64Array(values.length).fill(median), rim);
  const surface = createPlane(low, narrow);
  // Ink along the rim, as of a tightly cropped digit, bends the surface.
  if (!(1 < even + MIN_GAIN)) {
    const fitted = fitSurface(small, values, rim, median);
    if (!(measureFit(values, fitted, rim) < even + MIN_GAIN)) {
      surface.pixels.set(fitted);
      return resizeFloats(surface, height, width, "bilinear");
    }
  }
  return {height, width, pixels: new Float32Array(height * width).fill(median)};
}

/** @returns {number} the share of the rim where the paper fits. */
function measureFit(values, fitted, rim) {
  let count = 0;
  for (const at of rim) if (Math.abs(values[at] - fitted[at]) < MIN_CONTRAST / 2) count++;
  return count / rim.length;
}

function fitSurface(shape, values, rim, median) {
  const terms = computeTerms(shape);
  const everywhere = Int32Array.from(values, (_, at) => at);
  let fitted = new Float64Array(values.length).fill(median), chosen = rim;
  for (let step = 0; step < FIT_STEPS; step++) {
    const residual = values.map((value, at) => value - fitted[at]);
    const spread = Math.max(1, estimateDeviation(take(residual, chosen)));
    chosen = step < FIT_STEPS / 2 ? rim : everywhere;
    const weights = new Float64Array(values.length);
    for (const at of chosen) {
      const square = (residual[at] / (2 * spread)) ** 2;
      weights[at] = 1 / (1 + square) ** 2;
    }
    const solution = solveWeighted(terms, weights, values, chosen);
    fitted = new Float64Array(values.length);
    for (let term = 0; term < TERMS; term++) {
      for (let at = 0; at < fitted.length; at++) fitted[at] += terms[term][at] * solution[term];
    }
  }
  return fitted;
}

/** @returns {Float64Array[]} 1, y, x, y², x² and xy at each pixel, from −1 to 1. */
function computeTerms({height, width}) {
  const place = (at, size) => (size === 1 ? 0 : at === size - 1 ? 1 : at * (2 / (size - 1)) - 1);
  const terms = Array.from({length: TERMS}, () => new Float64Array(height * width));
  for (let at = 0; at < height * width; at++) {
    const y = place(Math.floor(at / width), height), x = place(at % width, width);
    [1, y, x, y * y, x * x, y * x].forEach((value, term) => { terms[term][at] = value; });
  }
  return terms;
}

function solveWeighted(terms, weights, values, chosen) {
  const matrix = terms.map(() => new Float64Array(TERMS)), right = new Float64Array(TERMS);
  for (let row = 0; row < TERMS; row++) {
    const weighted = new Float64Array(values.length);
    for (const at of chosen) weighted[at] = terms[row][at] * weights[at];
    for (const at of chosen) right[row] += weighted[at] * values[at];
    for (let column = row; column < TERMS; column++) {
      let total = 0;
      for (const at of chosen) total += terms[column][at] * weighted[at];
      matrix[row][column] = matrix[column][row] = total;
    }
  }
  // One row or column has no slope across, so the matrix may be singular.
  return solveSymmetric(matrix, right, 1e-9);
}

/**
 * Follow uneven light that no smooth surface fits.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture float32, gray levels 0…255
 * @param {import("#page/preparation/planes.js").Plane} paper from `estimatePaper`
 * @param {boolean} isDark whether strokes are darker than the paper
 * @returns {import("#page/preparation/planes.js").Plane} the same paper, or the picture without
 *   what is narrower than half of it, if that fits the rim better
 */
export function refinePaper(picture, paper, isDark) {
  const rim = findRim(picture);
  const measure = (other) => estimateDeviation(take(subtract(picture, other).pixels, rim));
  const fittedError = measure(paper);
  if (fittedError <= 1) return paper;
  const window = Math.max(3, Math.floor(Math.max(picture.height, picture.width) / 2));
  const closed = (isDark ? close : open)(smooth(picture), window, window);
  return fittedError > 1.5 * measure(closed) + 1 ? closed : paper;
}

/**
 * Compute the gray levels between paper and ink.
 *
 * @param {import("#page/preparation/planes.js").Plane} picture float32, gray levels 0…255
 * @param {import("#page/preparation/planes.js").Plane} paper its paper's brightness
 * @param {boolean} isDark whether strokes are darker than the paper
 * @returns {import("#page/preparation/planes.js").Plane} 0 paper, positive for ink
 */
export function subtractPaper(picture, paper, isDark) {
  if (!isDark) return subtract(picture, paper);
  // Less light makes ink and paper darker by the same factor.
  const brightest = findMaximum(paper.pixels, 1), contrast = subtract(paper, picture);
  for (let at = 0; at < contrast.pixels.length; at++) {
    contrast.pixels[at] /= Math.max(Math.fround(paper.pixels[at] / brightest), MIN_LIGHT);
  }
  return contrast;
}
