/** The panel of the map that is looked at: large, with what its unit sees and how it is made. */

import {explainUnit} from "#page/network/explain.js";
import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {groupTerms} from "#page/views/inside/groups.js";
import {findSource, layOut, locate} from "#page/views/inside/layout.js";
import {createPicture, findUnitOfEvent, placeMark} from "#page/views/inside/map.js";
import {nameMap, nameUnit} from "#page/views/inside/names.js";
import {formatValue} from "#page/views/inside/numbers.js";
import {createPainter} from "#page/views/inside/painter.js";
import {createSumView} from "#page/views/inside/sum-view.js";
import {createContributions, createFullList, createSoftmaxTable}
  from "#page/views/inside/tables.js";

const MOST_PIXELS = 320, SEEN_PIXELS = 224, LARGEST_UNIT = 24;

/**
 * Create the panel of one map; each of its units is shown by `update`.
 *
 * @param {import("#page/network/network.js").Network} network
 * @param {number} index of the map's layer
 * @param {number} map
 * @param {object} handlers hover, choose and move, as of the figure
 * @param {{group: number, isListOpen: boolean}} choice the input map that is shown large, and
 *   whether the list of all products is open
 */
export function createDetail(network, index, map, handlers, choice) {
  const context = describe(network, index, map);
  const large = createLarge(context, handlers), seen = createSeen(network);
  const value = element("p", {class: "unit-value"});
  const sum = element("div", {class: "sum"}), tables = element("div", {class: "sum-tables"});
  const list = createList(network, index, choice);
  const root = element("section", {class: "detail panel", "aria-labelledby": "inside-map"},
    element("h3", {id: "inside-map", text: nameMap(context.layer, context.layout, map)}),
    value,
    element("div", {class: "detail-parts"},
      element("div", {class: "pictures"}, large.root, ...index > 0 ? [seen.root] : []),
      element("div", {class: "sum-part"},
        element("h4", {text: text("insideSumHeading")}), sum, tables, list.root)));
  let view = null, size = "";
  return {
    root, large, seen, context,
    /** Show a unit; `scaleOf` gives the color scale of a layer's values. */
    update(state, unit, field, scaleOf) {
      const explanation = explainUnit(state.changedNetwork, state.outputs, index, unit);
      const groups = groupTerms(network, index, explanation.terms);
      const newSize = groups.map(({rows, columns}) => `${rows}×${columns}`).join();
      if (!view || newSize !== size) {
        view = createSumView(context, explanation, groups, choice);
        size = newSize;
        sum.replaceChildren(view.root);
      }
      view.update(explanation, groups, scaleOf(context.source));
      value.textContent = describeValue(context, unit, explanation);
      large.mark(unit);
      seen.mark(field);
      tables.replaceChildren(...createTables(state, context, unit, explanation));
      list.update(explanation);
      return explanation;
    },
  };
}

function describe(network, index, map) {
  const source = index > 0 ? findSource(network, index) : 0;
  return {
    network, map, source,
    layer: network.layers[index],
    layout: layOut(network, index),
    sourceLayer: network.layers[source],
    sourceLayout: layOut(network, source),
  };
}

/** @returns {string} the unit's name and its value. */
export function describeValue({network, layer, layout}, unit, {output}) {
  return text("insideUnitValue", {
    name: nameUnit(network, layer, layout, unit),
    value: formatValue(output),
  });
}

/** The map itself; arrow keys, the pointer and taps move its unit. */
function createLarge({network, layer, layout, map}, handlers) {
  const painter = createPainter(layout.height, layout.width);
  const picture = createPicture(layout, painter);
  const scale = Math.max(1, Math.min(
    LARGEST_UNIT, Math.floor(MOST_PIXELS / Math.max(layout.height, layout.width))));
  const mark = element("span", {class: "mark unit-mark"});
  picture.style.setProperty("--scale", scale);
  picture.append(mark);
  picture.classList.add("large");
  for (const [name, value] of Object.entries({
    tabindex: 0, role: "application",
    "aria-label": text("insideLargeLabel", {name: nameMap(layer, layout, map)}),
  })) picture.setAttribute(name, value);
  const find = (event) => ({
    layer: layer.index, unit: findUnitOfEvent(event, layout, {picture}, map),
  });
  picture.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") handlers.hover(find(event));
  });
  picture.addEventListener("pointerleave", () => handlers.hover(null));
  picture.addEventListener("click", (event) => handlers.choose(find(event)));
  picture.addEventListener("keydown", (event) => {
    if (handlers.move(layer.index, event)) event.preventDefault();
  });
  return {
    root: element("figure", {}, picture,
      element("figcaption", {class: "quiet small", text: text("insideArrowHint")})),
    picture, painter,
    mark(unit) {
      const {row, column} = locate(layout, unit);
      placeMark(mark, layout, {top: row, left: column, bottom: row + 1, right: column + 1});
    },
  };
}

/** The network's input with what the unit sees of it. */
function createSeen(network) {
  const layout = layOut(network, 0), painter = createPainter(layout.height, layout.width);
  const picture = createPicture(layout, painter);
  const mark = element("span", {class: "mark field-mark"});
  const caption = element("figcaption", {class: "quiet small"});
  picture.style.setProperty("--scale",
    Math.max(1, Math.floor(SEEN_PIXELS / Math.max(layout.height, layout.width))));
  picture.append(mark);
  return {
    root: element("figure", {class: "input-figure"}, picture, caption),
    painter,
    mark(field) {
      placeMark(mark, layout, field);
      caption.textContent = text("insideSees", {
        rows: formatRange(field.top, field.bottom),
        columns: formatRange(field.left, field.right),
        size: `${field.bottom - field.top}×${field.right - field.left}`,
      });
    },
  };
}

const formatRange = (first, end) => end - first > 1 ? `${first}–${end - 1}` : String(first);

function createTables(state, {network, layer}, unit, explanation) {
  const tables = [];
  if (layer.kind === "dense" || layer.kind === "rbf") {
    tables.push(createContributions(network, layer.index, explanation));
  }
  if (layer.kind === "dense" && explanation.activation === "softmax") {
    const changed = state.changedNetwork.layers[layer.index];
    tables.push(createSoftmaxTable(network, unit, sumAll(changed, state.outputs[layer.index - 1])));
  } else if (layer.kind === "rbf") {
    const values = Array.from(state.outputs[layer.index]);
    tables.push(createSoftmaxTable(network, unit, values, "insidePosteriorTable"));
  }
  return tables;
}

/** @returns {number[]} the sums of all units of a dense layer. */
function sumAll({weights: [kernel, bias]}, inputs) {
  const units = bias.values.length;
  return Array.from(bias.values, (offset, unit) => inputs.reduce(
    (sum, value, i) => sum + value * kernel.values[i * units + unit], offset));
}

/** Every product, made only while the list is open. */
function createList(network, index, choice) {
  const box = element("div", {
    class: "scroll", tabindex: 0, role: "group", "aria-label": text("insideAllHeading"),
  });
  let shown = null;
  const fill = () => {
    if (root.open && shown) box.replaceChildren(createFullList(network, index, shown));
  };
  const root = element("details", {
    class: "all-terms", open: choice.isListOpen,
    toggle: () => {
      choice.isListOpen = root.open;
      fill();
    },
  }, element("summary", {text: text("insideAllHeading")}), box);
  return {
    root,
    update(explanation) {
      shown = explanation;
      root.hidden = !explanation.terms.length;
      fill();
    },
  };
}
