/** Connected parts of a mask, and its holes. */

import {createPlane} from "#page/preparation/planes.js";

/**
 * Number the connected parts of a mask from 1, in the order of their first pixels.
 *
 * @param {import("#page/preparation/planes.js").Plane} mask what exceeds 0 belongs to a part
 * @param {boolean} isDiagonal whether pixels that touch at a corner are connected
 * @returns {{height: number, width: number, pixels: Int32Array,
 *   boxes: import("#page/preparation/planes.js").Box[]}} labels, 0 outside of all parts
 */
export function labelParts(mask, isDiagonal = true) {
  const {height, width, pixels} = mask;
  const labels = createPlane(height, width, Int32Array);
  const stack = new Int32Array(height * width), boxes = [];
  for (let start = 0; start < pixels.length; start++) {
    if (!(pixels[start] > 0) || labels.pixels[start]) continue;
    boxes.push(fillPart(mask, labels.pixels, start, boxes.length + 1, isDiagonal, stack));
  }
  return {...labels, boxes};
}

function fillPart({height, width, pixels}, labels, start, label, isDiagonal, stack) {
  const box = {top: height, left: width, bottom: 0, right: 0};
  let count = 1;
  stack[0] = start;
  labels[start] = label;
  while (count) {
    const at = stack[--count], row = Math.floor(at / width), column = at - row * width;
    if (row < box.top) box.top = row;
    if (row >= box.bottom) box.bottom = row + 1;
    if (column < box.left) box.left = column;
    if (column >= box.right) box.right = column + 1;
    const first = column ? -1 : 0, last = column < width - 1 ? 1 : 0;
    for (let down = row ? -1 : 0; down <= (row < height - 1 ? 1 : 0); down++) {
      for (let across = first; across <= last; across++) {
        if (!isDiagonal && down && across) continue;
        const next = at + down * width + across;
        if (!(pixels[next] > 0) || labels[next]) continue;
        labels[next] = label;
        stack[count++] = next;
      }
    }
  }
  return box;
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
export function fillHoles({height, width, pixels}) {
  // A background with a rim of one pixel connects all that is outside.
  const background = createPlane(height + 2, width + 2, Uint8Array);
  background.pixels.fill(1);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (pixels[row * width + column]) {
        background.pixels[(row + 1) * (width + 2) + column + 1] = 0;
      }
    }
  }
  const outside = createPlane(height + 2, width + 2, Int32Array).pixels;
  fillPart(background, outside, 0, 1, false, new Int32Array(outside.length));
  const filled = createPlane(height, width, Uint8Array);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (!outside[(row + 1) * (width + 2) + column + 1]) filled.pixels[row * width + column] = 1;
    }
  }
  return filled;
}
