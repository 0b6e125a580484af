/** Lines over the epochs as SVG. */

import {formatNumber} from "#page/views/elements.js";
import {toDivergingColor} from "#page/views/pixels.js";

const MIN_WIDTH = 240, HEIGHT = 240, LEFT = 44, BOTTOM = 28, TOP = 10, RIGHT = 12;

/**
 * Draw how each weight of a kernel changes.
 *
 * @param {object} chart
 * @param {number[][]} chart.kernels the weights of each epoch
 * @param {number[]} chart.epochs
 * @param {number} chart.position which of the epochs is shown elsewhere
 * @param {number} chart.limit largest absolute weight
 * @param {string} chart.label for screen readers
 * @param {number} chart.width in CSS pixels, so that the text isn't scaled
 * @returns {SVGElement}
 */
export function drawLines({kernels, epochs, position, limit, label, width}) {
  const right = Math.max(width, MIN_WIDTH) - RIGHT;
  const [first, last] = [epochs[0], epochs.at(-1)];
  const x = (epoch) => LEFT + (right - LEFT) * (epoch - first) / (last - first || 1);
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / limit) / 2;
  const viewBox = `0 0 ${right + RIGHT} ${HEIGHT}`;
  const root = draw("svg", {viewBox, role: "img", "aria-label": label});
  for (const value of [-limit, 0, limit]) {
    root.append(
      draw("line", {class: "grid-line", x1: LEFT, x2: right, y1: y(value), y2: y(value)}),
      write(formatNumber(value, 2), LEFT - 6, y(value) + 4, "end"));
  }
  root.append(write(String(first), x(first), HEIGHT - 8, "middle"),
    write(String(last), x(last), HEIGHT - 8, "middle"));
  kernels[0].forEach((_, i) => {
    const points = epochs.map((epoch, at) => `${round(x(epoch))},${round(y(kernels[at][i]))}`);
    const [red, green, blue] = toDivergingColor(pickTone(kernels.at(-1)[i], limit));
    root.append(draw("polyline", {points: points.join(" "), fill: "none",
      stroke: `rgb(${red} ${green} ${blue})`}));
  });
  const at = x(epochs[position]);
  root.append(draw("line", {class: "epoch-line", x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM}));
  return root;
}

const round = (value) => value.toFixed(1);

/** Keep lines away from the color of zero, which is that of the page. */
function pickTone(value, limit) {
  return Math.sign(value) * (0.45 + 0.4 * Math.abs(value) / limit);
}

function draw(tag, attributes) {
  const created = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}

function write(content, x, y, anchor) {
  const created = draw("text", {x, y, "text-anchor": anchor});
  created.textContent = content;
  return created;
}
