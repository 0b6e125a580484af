/** Small helpers for elements. */

import {text} from "#page/texts/index.js";

/**
 * Create an element.
 *
 * @param {string} tag
 * @param {object} attributes `text` is the content, `dataset` and `style` are objects, functions
 *   listen to the event of their name; others are attributes, left out if null or false
 * @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") created.textContent = value;
    else if (name === "dataset") Object.assign(created.dataset, value);
    else if (name === "style") Object.assign(created.style, value);
    else if (typeof value === "function") created.addEventListener(name, value);
    else if (value !== null && value !== false) created.setAttribute(name, value);
  }
  created.append(...children);
  return created;
}

/** Return the element of the page's template with an id. */
export function find(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/** Format a number for people: at most `digits` significant digits, a real minus sign. */
export function formatNumber(value, digits = 3) {
  const rounded = Math.abs(value) < 1e-12 ? 0 : Number(value.toPrecision(digits));
  const shown = rounded !== 0 && (Math.abs(rounded) < 1e-4 || Math.abs(rounded) >= 1e6)
    ? rounded.toExponential(digits - 1)
    : String(rounded);
  return shown.replace("-", "−");
}

/** Format a share of 0…1 in percent, such as "98.7%". */
export function formatPercent(share, digits = 1) {
  return `${(100 * share).toFixed(digits)}%`;
}

/** Format a count with separators, such as "61,706". */
export function formatCount(count) {
  return count.toLocaleString("en-US");
}

/**
 * Create a slider with its label and its value.
 *
 * @param {{id: string, label: string, min: number, max: number, step: number, value: number,
 *   format: (function(number): string), change: (function(number): void)}} options `label` is the
 *   key of a text
 */
export function createSlider({id, label, min, max, step, value, format = String, change}) {
  // A screen reader reads the value with the slider, and not once more.
  const output = element("output", {for: id, text: format(value), "aria-live": "off"});
  const input = element("input", {
    type: "range", id, min, max, step, value,
    input: () => {
      output.textContent = format(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
      change(Number(input.value));
    },
  });
  input.setAttribute("aria-valuetext", output.textContent);
  const root = element("div", {class: "slider"},
    element("label", {for: id, dataset: {text: label}, text: text(label)}), input, output);
  /** Show another value without calling `change`. */
  root.show = (shown) => {
    input.value = shown;
    output.textContent = format(shown);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  return root;
}
