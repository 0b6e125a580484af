/** A choice of a few values with a label. */

import {element} from "#page/views/elements.js";
import {create} from "#page/views/trials/parts.js";

/**
 * @param {string} id
 * @param {string} label key of a text
 * @param {Object<string, string>} options each value's key of a text
 * @param {function(string): void} change
 */
export function createChoice(id, label, options, change) {
  const select = element("select", {id, change: () => change(select.value)},
    ...Object.entries(options).map(([value, key]) => create("option", key, {value})));
  const root = element("div", {class: "lesson-choice"}, create("label", label, {for: id}), select);
  return {root, select, show: (value) => {
    select.value = value;
  }};
}
