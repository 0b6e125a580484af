/** The page's language and theme. */

import {LANGUAGES} from "#page/texts/index.js";
import {element, find} from "#page/views/elements.js";
import {listenToPrinting} from "#page/views/frames.js";
import {isDark, refreshTheme} from "#page/views/pixels.js";

const THEMES = ["auto", "light", "dark"];

/** Fill `#settings`. */
export function createSettings(store) {
  const languages = createChoice("language", Object.entries(LANGUAGES).map(([value, name]) =>
    ({value, attributes: {text: name, lang: value}})), (language) => {
    remember("language", language);
    store.set({language});
  });
  const themes = createChoice("theme", THEMES.map((value) =>
    ({value, attributes: {dataset: {text: `theme ${value}`}}})), (theme) => {
    remember("theme", theme);
    applyTheme(theme);
  });

  let chosen = "auto";
  function applyTheme(theme) {
    chosen = theme;
    themes.show(theme);
    showTheme(theme);
  }

  function showTheme(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    update();
  }

  function update() {
    refreshTheme();
    store.set({theme: isDark() ? "dark" : "light"});
  }

  find("settings").append(languages.root, themes.root);
  store.watch(["language"], ({language}) => languages.show(language));
  addEventListener("hashchange", () => {
    const language = readAddress();
    if (language) store.set({language});
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  listenToPrinting((theme) => showTheme(theme ?? chosen));
  store.set({language: readAddress() ?? recall("language", Object.keys(LANGUAGES))
    ?? (navigator.language.startsWith("ko") ? "ko" : "en")});
  applyTheme(recall("theme", THEMES) ?? "auto");
}

/** @returns {?string} the language that the page's address asks for, such as #ko. */
function readAddress() {
  const language = location.hash.slice(1);
  return Object.hasOwn(LANGUAGES, language) ? language : null;
}

function createChoice(name, options, choose) {
  const buttons = options.map(({value, attributes}) => element("button", {
    type: "button", value, "aria-pressed": "false", click: () => choose(value), ...attributes,
  }));
  const root = element("div", {
    class: "setting", role: "group", id: `choose-${name}`, dataset: {label: `${name}Label`},
  }, ...buttons);
  const show = (shown) => {
    for (const button of buttons) button.setAttribute("aria-pressed", button.value === shown);
  };
  return {root, show};
}

/** Browsers may forbid storage to pages from files. */
function remember(name, value) {
  try {
    localStorage.setItem(`lenet-${name}`, value);
  } catch {
    // The choice holds until the page is closed.
  }
}

function recall(name, values) {
  try {
    const value = localStorage.getItem(`lenet-${name}`);
    return values.includes(value) ? value : null;
  } catch {
    return null;
  }
}
