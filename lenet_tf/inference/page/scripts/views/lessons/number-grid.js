/** A square table of numbers, of which some can be edited. */

import {text} from "#page/texts/index.js";
import {element, formatNumber} from "#page/views/elements.js";
import {toDivergingColor, toInkColor} from "#page/views/pixels.js";

/** Cells from here on are colored as the most extreme ones. */
const FULL_INK = 9;
/** A cell has room for two digits and a sign. */
const MOST = 99;

/**
 * @param {{edit?: (function(number, number): void), pick?: (function(number): void),
 *   isInk?: boolean}} options `edit` is called with the index and the number of a cell that is
 *   edited, `pick` with that of a cell that is pressed; ink is dark, other numbers have two colors
 */
export function createNumberGrid({edit, pick, isInk = false, id}) {
  const caption = element("caption", {}), body = element("tbody", {});
  const root = element("table", {class: "lesson-grid", id}, caption, body);
  const make = (index, size) => edit ? createInput(index, size, edit) : createCell(index, pick);
  let cells = [], shape = "";
  /**
   * Show numbers.
   *
   * @param {number[]} values size × size
   * @param {{before?: number, after?: number, caption: string, limit?: number, digits?: number,
   *   isMarked?: (function(number): boolean), isQuiet?: (function(number): boolean)}} options
   */
  root.show = (values, {before = 0, after = 0, limit = null, ...options}) => {
    const size = Math.sqrt(values.length), wanted = `${size}/${before}/${after}`;
    if (shape !== wanted) cells = buildRows(body, size, before, after, make);
    shape = wanted;
    if (caption.textContent !== options.caption) caption.textContent = options.caption;
    const largest = isInk ? FULL_INK : limit ?? (Math.max(...values.map(Math.abs)) || 1);
    root.classList.toggle("has-fractions", Boolean(edit) && !values.every(Number.isInteger));
    const color = isInk ? toInkColor : toDivergingColor;
    values.forEach((value, index) => {
      const owner = cells[index].closest("td");
      shade(owner, color(value / largest));
      owner.classList.toggle("is-marked", Boolean(options.isMarked?.(index)));
      owner.classList.toggle("is-quiet", Boolean(options.isQuiet?.(index)));
      if (edit) showInput(cells[index], value, findPlace(index, size), options.digits);
      else cells[index].textContent = formatNumber(value, options.digits);
    });
  };
  /** Mark the cells of the padding around the picture whose row and column a function accepts. */
  root.markPadding = (isMarked) => {
    [...body.rows].forEach((row, y) => [...row.cells].forEach((cell, x) => {
      if (cell.classList.contains("padding")) cell.classList.toggle("is-marked", isMarked(y, x));
    }));
  };
  return root;
}

/** Fill a table with cells, and with padding around them. */
function buildRows(body, size, before, after, make) {
  const side = before + size + after, cells = new Array(size ** 2);
  body.replaceChildren(...Array.from({length: side}, (_, row) => element("tr", {},
    ...Array.from({length: side}, (_, column) => {
      const y = row - before, x = column - before;
      if (y < 0 || x < 0 || y >= size || x >= size) {
        return element("td", {class: "padding", text: "0"});
      }
      const index = y * size + x;
      cells[index] = make(index, size);
      return cells[index].closest("td");
    }))));
  return cells;
}

function showInput(input, value, place, digits = 3) {
  input.setAttribute("aria-label", text("cellLabel", place));
  if (document.activeElement !== input) input.value = String(Number(value.toPrecision(digits)));
}

const clamp = (value) => Math.min(Math.max(value, -MOST), MOST);

const findPlace = (index, size) =>
  ({row: Math.floor(index / size), column: index % size});

function createInput(index, size, edit) {
  const input = element("input", {
    type: "number", step: "any", inputmode: "decimal", min: -MOST, max: MOST,
    input: () => {
      if (Number.isFinite(input.valueAsNumber)) edit(index, clamp(input.valueAsNumber));
    },
    change: () => {
      if (Number.isFinite(input.valueAsNumber)) input.value = clamp(input.valueAsNumber);
    },
    keydown: (event) => {
      const step = {ArrowUp: -size, ArrowDown: size}[event.key];
      const next = step && input.closest("tbody").querySelectorAll("input")[index + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    },
    focus: () => input.select(),
  });
  element("td", {}, input);
  return input;
}

function createCell(index, pick) {
  return element("td", pick ? {class: "can-pick", click: () => pick(index)} : {});
}

/** @returns {string} a number as a factor or a summand: negative ones in parentheses. */
export function formatTerm(value) {
  const shown = formatNumber(value);
  return shown.startsWith("−") ? `(${shown})` : shown;
}

/** Color a cell, and its number black or white, whichever can be read better. */
function shade(cell, [red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((part) => (part / 255) ** 2.2);
  cell.style.backgroundColor = `rgb(${red} ${green} ${blue})`;
  cell.style.color = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
}
