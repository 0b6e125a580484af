/** Outlines in the figure: the unit, what it sees of the input and of the layer before. */

import {element} from "#page/views/elements.js";
import {findSource, locate} from "#page/views/inside/layout.js";
import {placeMark} from "#page/views/inside/map.js";
import {findInputWindow} from "#page/network/receptive-field.js";

const WITH_WINDOW = [
  "convolution", "table_convolution", "subsampling", "pooling", "batch_normalization",
];

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {Map<number, object>} drawn layers of the figure
 */
export function createLights(network, drawn) {
  const unitMark = element("span", {class: "mark unit-mark"});
  const fieldMark = element("span", {class: "mark field-mark"});
  drawn.get(0).maps[0].picture.append(fieldMark);
  let lit = [], pressed = null;
  return {
    show(index, unit, field, explanation) {
      const {layout, maps} = drawn.get(index), {map, row, column} = locate(layout, unit);
      const {picture, button} = maps[map];
      if (unitMark.parentNode !== picture) picture.append(unitMark);
      placeMark(unitMark, layout, {top: row, left: column, bottom: row + 1, right: column + 1});
      placeMark(fieldMark, drawn.get(0).layout, field);
      fieldMark.hidden = index === 0;
      if (pressed !== button) {
        pressed?.setAttribute("aria-pressed", "false");
        button.setAttribute("aria-pressed", "true");
        pressed = button;
      }
      for (const one of lit) one.classList.remove("lit");
      lit = index > 0 ? lightWindow(network, drawn, index, unit, explanation) : [];
    },
  };
}

/** Outline the window of a unit on the maps that it takes. */
function lightWindow(network, drawn, index, unit, {terms}) {
  const source = findSource(network, index), layer = network.layers[index];
  if (source === 0) return [];
  const {layout, maps, box} = drawn.get(source);
  const isWhole = layout.isStrip || !WITH_WINDOW.includes(layer.kind);
  const {top, left, bottom, right} = isWhole
    ? {top: 0, left: 0, bottom: layout.height, right: layout.width}
    : findInputWindow(layer, unit);
  box.style.setProperty("--top", top / layout.height);
  box.style.setProperty("--left", left / layout.width);
  box.style.setProperty("--rows", (bottom - top) / layout.height);
  box.style.setProperty("--columns", (right - left) / layout.width);
  const taken = new Set(terms.filter(({input}) => input >= 0)
    .map(({input}) => locate(layout, input).map));
  const lit = [...taken].map((map) => maps[map].button);
  for (const button of lit) button.classList.add("lit");
  return lit;
}
