/** Removes circles and underlines, which mark digits and belong to none. */

import {fillHoles, cutLabel, labelParts} from "#page/preparation/labels.js";
import {createPlane, crop, exceed, heightOf, widthOf} from "#page/preparation/planes.js";
import {sum} from "#page/preparation/statistics.js";

// Less ink is noise, as of JPEG.
const MIN_INK = Math.fround(0.3);
// Least height of what a ring encloses, in shares of the ring's. The dot in a zero is lower.
const MIN_ENCLOSED = 0.3;
// Ratio of standard deviations across and along, below which ink is a thin stroke, and the largest
// tangent of its slant if it is a 1 and not the slash through a zero.
const MAX_STROKE_RATIO = 0.2, MAX_SLANT = 0.35;
// An underline: its height in shares of its width, its least width and distance in shares of the
// width and the height of what is above it, and the least height of that in shares of its own.
const MAX_FLATNESS = 0.3, MIN_UNDERLINE = 0.6, MIN_DISTANCE = 0.03, MIN_ABOVE = 2;

/**
 * Remove a circle around the digit, and lines below it, that don't touch it.
 *
 * @param {import("#page/preparation/planes.js").Plane} ink float32, 0 paper … 1 ink, without dirt
 * @returns {import("#page/preparation/planes.js").Plane} the ink of the digit alone
 */
export function removeMarks(ink) {
  return removeUnderlines(removeRing(ink));
}

function removeRing(ink) {
  const labels = labelParts(ink), {boxes} = labels;
  if (boxes.length < 2) return ink;
  const area = (box) => heightOf(box) * widthOf(box);
  const outer = boxes.reduce((best, box, at) => (area(box) > area(boxes[best]) ? at : best), 0);
  const box = boxes[outer], ring = cutLabel(labels, outer + 1, box), part = crop(ink, box);
  const inside = fillHoles(ring);
  for (let at = 0; at < ring.pixels.length; at++) if (ring.pixels[at]) inside.pixels[at] = 0;
  const drawn = exceed(part, MIN_INK);
  for (let at = 0; at < drawn.pixels.length; at++) drawn.pixels[at] &= inside.pixels[at];
  const tallest = Math.max(0, ...labelParts(drawn).boxes.map(heightOf));
  if (tallest < MIN_ENCLOSED * heightOf(box) || isSlash(drawn)) return ink;
  const cleaned = createPlane(ink.height, ink.width), width = widthOf(box);
  for (let at = 0; at < part.pixels.length; at++) {
    if (!inside.pixels[at]) continue;
    const row = box.top + Math.floor(at / width);
    cleaned.pixels[row * ink.width + box.left + (at % width)] = part.pixels[at];
  }
  return cleaned;
}

/** @returns {boolean} whether ink is a thin slanted stroke, as in the zeros of terminals. */
function isSlash({width, pixels}) {
  let count = 0, rows = 0, columns = 0;
  pixels.forEach((value, at) => {
    if (!value) return;
    count++;
    rows += Math.floor(at / width);
    columns += at % width;
  });
  let down = 0, across = 0, both = 0;
  pixels.forEach((value, at) => {
    if (!value) return;
    const y = Math.floor(at / width) - rows / count, x = (at % width) - columns / count;
    down += y * y;
    across += x * x;
    both += x * y;
  });
  const middle = (down + across) / 2, radius = Math.hypot((down - across) / 2, both);
  const isThin = middle - radius < MAX_STROKE_RATIO ** 2 * (middle + radius);
  // The long axis: across and down are as `both` and what the larger variance exceeds.
  const [y, x] = down >= across
    ? [(down - across) / 2 + radius, Math.abs(both)]
    : [Math.abs(both), (across - down) / 2 + radius];
  return isThin && x > MAX_SLANT * y;
}

function removeUnderlines(ink) {
  const labels = labelParts(ink), {boxes} = labels;
  if (boxes.length < 2) return ink;
  const lowest = boxes.reduce((best, box, at) => (box.top > boxes[best].top ? at : best), 0);
  const line = boxes[lowest], others = boxes.filter((_, at) => at !== lowest);
  const top = Math.min(...others.map((box) => box.top));
  const bottom = Math.max(...others.map((box) => box.bottom));
  const left = Math.min(...others.map((box) => box.left));
  const right = Math.max(...others.map((box) => box.right));
  const isUnderline = heightOf(line) <= MAX_FLATNESS * widthOf(line)
    && widthOf(line) >= MIN_UNDERLINE * (right - left)
    && line.top - bottom >= MIN_DISTANCE * (bottom - top)
    && bottom - top >= MIN_ABOVE * heightOf(line);
  if (!isUnderline) return ink;
  const isLine = (at) => labels.pixels[at] === lowest + 1;
  const cleaned = {...ink, pixels: ink.pixels.map((value, at) => (isLine(at) ? 0 : value))};
  if (2 * sum(ink.pixels.filter((_, at) => isLine(at))) > sum(ink.pixels)) return ink;
  // There may be a second line above the first.
  return removeUnderlines(cleaned);
}
