/** Connected parts of a mask, and its holes. */

import {createPlane, pad} from "#page/preparation/planes.js";

/**
 * Number the connected parts of a mask from 1, in the order of their first pixels.
 *
 * @param {import("#page/preparation/planes.js").Plane} mask what exceeds 0 belongs to a part
 * @param {boolean} isDiagonal whether pixels that touch at a corner are connected
 * @returns {{height: number, width: number, pixels: Int32Array,
 *   boxes: import("#page/preparation/planes.js").Box[]}} labels, 0 outside of all parts
 */
export function labelParts(mask, isDiagonal = true) {
  const runs = findRuns(mask), labels = createPlane(mask.height, mask.width, Int32Array);
  const parents = connectRuns(runs, isDiagonal ? 1 : 0), numbers = new Int32Array(runs.length);
  const boxes = [];
  runs.forEach(({row, start, end}, index) => {
    const first = findFirst(parents, index);
    if (first === index) {
      boxes.push({top: row, left: start, bottom: row + 1, right: end});
      numbers[index] = boxes.length;
    }
    const label = numbers[first], box = boxes[label - 1];
    box.bottom = row + 1;
    if (start < box.left) box.left = start;
    if (end > box.right) box.right = end;
    labels.pixels.fill(label, row * mask.width + start, row * mask.width + end);
  });
  return {...labels, boxes};
}

/** @returns the pieces of rows that are drawn, row by row. */
function findRuns({height, width, pixels}) {
  const runs = [];
  for (let row = 0, at = 0; row < height; row++) {
    const first = row * width, next = first + width;
    while (at < next) {
      if (!(pixels[at] > 0)) {
        at++;
        continue;
      }
      const start = at - first;
      while (at < next && pixels[at] > 0) at++;
      runs.push({row, start, end: at - first});
    }
  }
  return runs;
}

/** @returns {Int32Array} an earlier run of the same part for each run, or itself. */
function connectRuns(runs, reach) {
  const parents = Int32Array.from(runs, (_, index) => index);
  let above = 0;
  runs.forEach(({row, start, end}, index) => {
    while (runs[above].row < row - 1) above++;
    for (let other = above; runs[other].row === row - 1; other++) {
      if (runs[other].end + reach <= start) {
        // It ends before all further runs of this row, too.
        above = other + 1;
      } else if (runs[other].start < end + reach) {
        const first = findFirst(parents, other), second = findFirst(parents, index);
        parents[Math.max(first, second)] = Math.min(first, second);
      } else {
        break;
      }
    }
  });
  return parents;
}

function findFirst(parents, index) {
  let first = index;
  while (parents[first] !== first) first = parents[first] = parents[parents[first]];
  return first;
}

/** @returns {import("#page/preparation/planes.js").Plane} uint8: 1 where a label lies, in a box. */
export function cutLabel(labels, label, box) {
  const mask = createPlane(box.bottom - box.top, box.right - box.left, Uint8Array);
  for (let row = 0; row < mask.height; row++) {
    const from = (box.top + row) * labels.width + box.left, to = row * mask.width;
    for (let column = 0; column < mask.width; column++) {
      if (labels.pixels[from + column] === label) mask.pixels[to + column] = 1;
    }
  }
  return mask;
}

/** @returns {import("#page/preparation/planes.js").Plane} a mask of 0 and 1 without its holes. */
export function fillHoles(mask) {
  // A background with a rim of one pixel connects all that is outside.
  const background = pad(mask, 1, 1), filled = createPlane(mask.height, mask.width, Uint8Array);
  for (let at = 0; at < background.pixels.length; at++) background.pixels[at] ^= 1;
  const labels = labelParts(background, false);
  for (let row = 0; row < mask.height; row++) {
    const from = (row + 1) * labels.width + 1, to = row * mask.width;
    for (let column = 0; column < mask.width; column++) {
      if (labels.pixels[from + column] !== 1) filled.pixels[to + column] = 1;
    }
  }
  return filled;
}
