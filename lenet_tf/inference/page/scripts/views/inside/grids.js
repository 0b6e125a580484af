/** Grids of values: with numbers where these fit, else as colors only. */

import {element} from "#page/views/elements.js";
import {createPicture} from "#page/views/inside/map.js";
import {formatFixed} from "#page/views/inside/numbers.js";
import {createPainter, paintValues, toStyle} from "#page/views/inside/painter.js";

/** Larger windows are shown without numbers. */
const MAX_NUMBERS = 49;

/** @returns {boolean} whether a window is shown with its numbers. */
export function hasNumbers({rows, columns}) {
  return rows * columns <= MAX_NUMBERS && columns <= 7;
}

/**
 * Create a grid of a group's size.
 *
 * @param {{rows: number, columns: number}} size
 * @param {function(?number): void} point called with the cell that the pointer is on
 * @returns {{root: HTMLElement,
 *   update: function(ArrayLike<number>, object, number, ?number): void}}
 *   `update` takes values, their color scale, the decimals and the cell to mark
 */
export function createGrid(size, point = () => {}) {
  return hasNumbers(size) ? createNumberGrid(size) : createColorGrid(size, point);
}

function createNumberGrid({rows, columns}) {
  const cells = Array.from({length: rows * columns}, () => element("span"));
  const root = element("div", {class: "value-grid", "aria-hidden": "true"}, ...cells);
  root.style.setProperty("--columns", columns);
  return {
    root,
    update(values, scale, decimals, marked = null) {
      root.classList.toggle("is-wide", decimals > 3);
      cells.forEach((cell, i) => {
        const {background, color} = toStyle(values[i], scale);
        cell.textContent = Number.isNaN(values[i]) ? "" : formatFixed(values[i], decimals);
        cell.style.background = background;
        cell.style.color = color;
        cell.classList.toggle("marked", i === marked);
      });
    },
  };
}

function createColorGrid(size, point) {
  const {rows, columns} = size;
  const cell = Math.floor(240 / Math.max(rows, columns));
  const tile = createTile(size, Math.min(Math.max(cell, 3), 14));
  const place = (event) => {
    const area = tile.root.getBoundingClientRect();
    const row = Math.floor((event.clientY - area.top) / area.height * rows);
    const column = Math.floor((event.clientX - area.left) / area.width * columns);
    const isInside = row >= 0 && column >= 0 && row < rows && column < columns;
    point(isInside ? row * columns + column : null);
  };
  tile.root.addEventListener("pointermove", place);
  tile.root.addEventListener("pointerdown", place);
  tile.root.addEventListener("pointerleave", () => point(null));
  return tile;
}

/** Create a grid of colors with cells of some pixels. */
export function createTile({rows, columns}, cell) {
  const painter = createPainter(rows, columns);
  const root = createPicture({height: rows, width: columns}, painter);
  root.style.setProperty("--scale", cell);
  return {
    root,
    update(values, scale) {
      paintValues(painter, values, scale);
    },
  };
}
