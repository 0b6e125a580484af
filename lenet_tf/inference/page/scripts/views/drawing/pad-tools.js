/** The buttons and the slider beside the pad. */

import {createSlider, element} from "#page/views/elements.js";

const ICONS = {
  undo: "M8 4 3.5 8.5 8 13M4 8.5h8a4.5 4.5 0 0 1 0 9H8",
  redo: "M12 4l4.5 4.5L12 13M16 8.5H8a4.5 4.5 0 0 0 0 9h4",
  clear: "M4 6h12M8 6V4h4v2M5.5 6l.8 11h7.4l.8-11M8.5 9v5M11.5 9v5",
};
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {import("#page/views/drawing/pad.js").Pad} pad
 * @returns {{root: HTMLElement, update: function(): void}} `update` shows what can be undone
 */
export function createPadTools(pad) {
  const undo = createButton("undo", () => pad.undo());
  const redo = createButton("redo", () => pad.redo());
  const clear = createButton("clear", () => pad.clear());
  const width = createSlider({
    id: "pen-width", label: "penWidth", min: 4, max: 48, step: 1, value: pad.width,
    change: (value) => { pad.width = value; },
  });
  const root = element("div", {class: "pad-tools"},
    element("div", {class: "pad-buttons"}, undo, redo, clear), width);
  if (pad.isColored) root.append(createColorChoice(pad));
  document.addEventListener("keydown", (event) => {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!isCommand || event.key.toLowerCase() !== "z") return;
    if (/^(input|textarea)$/i.test(event.target.tagName) && event.target.type !== "range") return;
    event.preventDefault();
    if (event.shiftKey) pad.redo();
    else pad.undo();
  });
  const update = () => {
    undo.setAttribute("aria-disabled", !pad.canUndo);
    redo.setAttribute("aria-disabled", !pad.canRedo);
  };
  update();
  return {root, update};
}

function createButton(name, click) {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("viewBox", "0 0 20 20");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  icon.append(path);
  return element("button", {type: "button", id: name, click}, icon,
    element("span", {dataset: {text: name}}));
}

function createColorChoice(pad) {
  const input = element("input", {
    type: "color", id: "pen-color", value: pad.color, input: () => { pad.color = input.value; },
  });
  return element("div", {class: "pen-color"},
    element("label", {for: "pen-color", dataset: {text: "penColor"}}), input);
}
