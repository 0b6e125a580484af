/** Shows the sum that makes a unit: windows, kernels, products, and the steps in numbers. */

import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {createGrid, createTile, hasNumbers} from "#page/views/inside/grids.js";
import {collect} from "#page/views/inside/groups.js";
import {writeFormulas} from "#page/views/inside/formulas.js";
import {nameSource} from "#page/views/inside/names.js";
import {countCellDecimals, countSumDecimals, formatFixed} from "#page/views/inside/numbers.js";
import {createDivergingScale} from "#page/views/inside/painter.js";
import {findLimit} from "#page/views/pixels.js";

/** Rows whose windows have no weights of their own for each place. */
const WITHOUT_WEIGHTS = ["pooling", "subsampling", "global_average_pooling", "batch_normalization"];
/** The small kernels of a group are so many pixels high, about. */
const TILE = 38;

/**
 * Create the view for units of one map, whose groups all have the same sizes.
 *
 * @param {object} context
 * @param {object} explanation of one of its units
 * @param {import("#page/views/inside/groups.js").Group[]} groups of that unit
 * @param {{group: number}} choice the group that is shown large; a click on a group changes it
 */
export function createSumView(context, explanation, groups, choice) {
  const hasWeights = !WITHOUT_WEIGHTS.includes(explanation.kind);
  const formulas = element("ol", {class: "formulas"});
  const root = element("div", {class: "sum-view"});
  if (!groups.length) {
    root.append(formulas);
    return {root, update: (now, current) => writeLines(context, formulas, now, current)};
  }
  let last = null;
  const equation = createEquation(context, explanation.kind, groups[0], hasWeights);
  const tiles = groups.length > 1 ? createTiles(context, groups, (i) => {
    choice.group = i;
    update(...last);
  }) : null;
  root.append(equation.root, ...tiles ? [tiles.root] : [], formulas);
  const update = (now, current, inputScale) => {
    last = [now, current, inputScale];
    const chosen = Math.min(choice.group, groups.length - 1);
    const scaleTo = (field) => createDivergingScale(findLimit(now.terms.map((term) => term[field])));
    const scales = {value: inputScale, weight: scaleTo("weight"), product: scaleTo("product")};
    equation.update(current[chosen], scales, now);
    tiles?.update(current, scales, chosen);
    writeLines(context, formulas, now, current);
  };
  return {root, update};
}

function writeLines({network}, list, explanation, groups) {
  const lines = writeFormulas(explanation, groups, network.preparation.normalization);
  while (list.children.length > lines.length) list.lastChild.remove();
  while (list.children.length < lines.length) list.append(element("li"));
  lines.forEach((line, i) => {
    if (list.children[i].textContent !== line) list.children[i].textContent = line;
  });
}

/** The window, the kernel and the products of one input map, large. */
function createEquation(context, kind, size, hasWeights) {
  const readout = element("p", {class: "readout quiet"});
  let shown = null, pointed = null;
  const point = (cell) => {
    pointed = cell;
    writeReadout(readout, shown, pointed, kind);
  };
  const [value, weight, product] = ["value", "weight", "product"].map((field) => ({
    field, grid: createGrid(size, point), caption: element("div", {class: "grid-caption"}),
  }));
  const parts = hasWeights ? [value, weight, product] : [value];
  const signs = kind === "rbf" ? ["−", "( )² ="] : ["×", "="];
  const root = element("div", {class: "equation"});
  parts.forEach(({grid, caption}, i) => {
    const sign = element("span", {class: "sign", "aria-hidden": "true", text: signs[i - 1] ?? ""});
    if (i > 0) root.append(sign);
    root.append(element("div", {class: "grid-part"}, caption, grid.root));
  });
  const box = element("div", {}, root, ...hasNumbers(size) ? [] : [readout]);
  return {
    root: box,
    update(group, scales, explanation) {
      shown = group;
      for (const {field, grid, caption} of parts) {
        const values = collect(group, field);
        const decimals = countCellDecimals(values.filter((each) => !Number.isNaN(each)));
        const marked = field === "value" ? findWinner(explanation, group) : null;
        grid.update(values, scales[field], decimals, marked);
        caption.textContent = writeCaption(context, kind, field, group);
      }
      writeReadout(readout, shown, pointed, kind);
    },
  };
}

/** @returns {?number} the cell whose value a maximum or a minimum takes. */
function findWinner({pool}, {cells}) {
  if (pool !== "max" && pool !== "min") return null;
  return cells.findIndex((term) => term && term.weight === 1);
}

function writeCaption({sourceLayer, sourceLayout, layer}, kind, field, group) {
  if (field === "value") return nameSource(sourceLayer, sourceLayout, group.map);
  if (field === "weight") {
    const key = {rbf: "insideCode", dense: "insideWeightsOf"}[kind] ?? "insideKernel";
    return text(key, {layer: layer.name});
  }
  const sum = formatFixed(group.sum, countSumDecimals([group.sum]));
  return text(kind === "rbf" ? "insideSquares" : "insideProducts", {sum});
}

function writeReadout(readout, group, cell, kind) {
  const term = cell === null ? null : group?.cells[cell];
  if (!term) {
    readout.textContent = text("insidePointHint");
    return;
  }
  const {value, weight, product} = term, number = (each) => formatFixed(each, 4);
  readout.textContent = kind === "rbf"
    ? `(${number(value)} − (${number(weight)}))² ≈ ${number(product)}`
    : `${number(value)} × ${number(weight)} ≈ ${number(product)}`;
}

/** One button for each input map, with its window, kernel and products in small. */
function createTiles(context, groups, choose) {
  const cell = Math.max(3, Math.floor(TILE / Math.max(groups[0].rows, groups[0].columns)));
  const tiles = groups.map((group, i) => {
    const [value, weight, product] = [0, 1, 2].map(() => createTile(group, cell));
    const sum = element("span", {class: "tile-sum"});
    const button = element("button", {type: "button", class: "tile", click: () => choose(i)},
      element("span", {
        class: "tile-name",
        text: nameSource(context.sourceLayer, context.sourceLayout, group.map),
      }),
      element("span", {class: "tile-row"}, value.root, "×", weight.root, "=", product.root),
      sum);
    return {button, sum, fields: {value, weight, product}};
  });
  return {
    root: element("div", {class: "tiles", role: "group", "aria-label": text("insideTiles")},
      ...tiles.map(({button}) => button)),
    update(current, scales, chosen) {
      const decimals = countSumDecimals(current.map(({sum}) => sum));
      tiles.forEach(({button, sum, fields}, i) => {
        for (const [field, tile] of Object.entries(fields)) {
          tile.update(collect(current[i], field), scales[field]);
        }
        sum.textContent = `Σ ${formatFixed(current[i].sum, decimals)}`;
        button.setAttribute("aria-pressed", String(i === chosen));
      });
    },
  };
}
