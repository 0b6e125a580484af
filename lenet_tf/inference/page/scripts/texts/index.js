/** The page's texts in English and Korean. Each module holds those of one part of the page. */

import {drawing} from "#page/texts/drawing.js";
import {inside} from "#page/texts/inside.js";
import {lessons} from "#page/texts/lessons.js";
import {page} from "#page/texts/page.js";
import {trials} from "#page/texts/trials.js";

export const LANGUAGES = {en: "English", ko: "한국어"};
export const TEXTS = {...page, ...drawing, ...inside, ...trials, ...lessons};
let current = "en";

/** Choose the language of all texts from now on. */
export function setLanguage(language) {
  current = language;
  document.documentElement.lang = language;
}

/** @returns {string} "en" or "ko". */
export function getLanguage() {
  return current;
}

/**
 * Return a text in the chosen language.
 *
 * @param {string} key
 * @param {Object<string, string | number>} values for the places such as {name} in the text
 */
export function text(key, values = {}) {
  const found = TEXTS[key];
  if (!found) throw new Error(`no text "${key}"`);
  return found[current].replace(/\{(\w+)\}/g, (_, name) => {
    if (!(name in values)) throw new Error(`text "${key}" needs a value for ${name}`);
    return String(values[name]);
  });
}

/**
 * Fill the elements with the attributes data-text (content), data-label (aria-label) and
 * data-title (title), which name a text without places.
 */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
  for (const element of root.querySelectorAll("[data-title]")) {
    element.title = text(element.dataset.title);
  }
}
