/** Shows the inside of the network: all layers, and the unit that is looked at. */

import {prepareImage} from "#page/network/prepare.js";
import {findReceptiveField} from "#page/network/receptive-field.js";
import {createEmptyImage} from "#page/store.js";
import {text} from "#page/texts/index.js";
import {element, find, formatCount} from "#page/views/elements.js";
import {requestFrame} from "#page/views/frames.js";
import {createCodes} from "#page/views/inside/codes.js";
import {createConnectionTable} from "#page/views/inside/connection-table.js";
import {createDetail, describeValue} from "#page/views/inside/detail.js";
import {createFigure} from "#page/views/inside/figure.js";
import {createFigurePainter} from "#page/views/inside/figure-painter.js";
import {fitFigure} from "#page/views/inside/fit.js";
import {findMiddle, findSource, findUnit, isNote, layOut, locate}
  from "#page/views/inside/layout.js";
import {createLights} from "#page/views/inside/lights.js";
import {createDivergingScale, createPainter, paintValues} from "#page/views/inside/painter.js";
import {setRoving, toStep} from "#page/views/inside/roving.js";

/** The colors from −50 to 50. */
const LEGEND = Float32Array.from({length: 101}, (_, i) => i - 50);

/** Build the view into #inside. */
export function createInside(store) {
  const root = find("inside");
  const live = element("p", {class: "visually-hidden", role: "status"});
  const view = {
    hovered: null, announce: false, open: false, group: 0, hasCounts: false, isListOpen: false,
    parts: null, detail: null, frame: 0,
  };
  const handlers = createHandlers(store, view, schedule);
  function schedule() {
    view.frame ||= requestFrame(() => {
      view.frame = 0;
      update(store.state, view, handlers, live);
    });
  }
  const rebuild = ({network}) => {
    Object.assign(view, {hovered: null, detail: null, group: 0});
    view.parts = createParts(network, handlers, view);
    root.replaceChildren(...view.parts.roots, live);
    fitFigure(view.parts.figure.root);
    schedule();
  };
  root.addEventListener("keydown", ({key}) => {
    if (key === "Escape") store.set({selection: null});
  });
  store.watch(["network", "language"], rebuild);
  store.watch(["outputs", "changedNetwork", "theme"], schedule);
  store.watch(["selection"], () => {
    view.hovered = null;
    schedule();
  });
  new ResizeObserver(() => fitFigure(view.parts.figure.root)).observe(root);
}

function createParts(network, handlers, view) {
  const figure = createFigure(network, handlers);
  const detailBox = element("div", {class: "detail-box"});
  const last = network.layers.length - 1;
  const codes = network.layers[last].kind === "rbf"
    ? createCodes(network, findSource(network, last), handlers.choose)
    : null;
  const tables = network.layers.filter(({kind}) => kind === "table_convolution")
    .map(({index}) => createConnectionTable(
      network, index, findSource(network, index), handlers.choose));
  const hint = element("p", {class: "inside-hint"}), legend = createPainter(1, 101);
  legend.canvas.className = "legend-bar";
  const now = element("span");
  return {
    figure, codes, tables, hint, legend, now, detailBox,
    painter: createFigurePainter(network, figure.drawn, measureRange(network)),
    lights: createLights(network, figure.drawn),
    roots: [
      hint,
      createLegend(network, figure.root, legend.canvas, view),
      element("div", {class: "figure-box"}, figure.root),
      element("p", {class: "inside-now"}, now,
        element("a", {href: "#inside-map", text: text("insideMore")})),
      detailBox,
      element("div", {class: "inside-extras"},
        ...codes ? [codes.root] : [], ...tables.map((table) => table.root)),
    ],
  };
}

function createLegend({layers}, figure, legend, view) {
  const add = (field) => formatCount(layers.reduce((sum, layer) => sum + layer[field], 0));
  const total = element("p", {class: "total-counts small", text: text("insideTotal", {
    parameters: add("parameters"), connections: add("connections"),
  })});
  const show = () => {
    total.hidden = !view.hasCounts;
    figure.classList.toggle("with-counts", view.hasCounts);
    toggle.setAttribute("aria-pressed", String(view.hasCounts));
  };
  const toggle = element("button", {
    type: "button", class: "small", text: text("insideCounts"),
    click: () => {
      view.hasCounts = !view.hasCounts;
      show();
      fitFigure(figure);
    },
  });
  show();
  return element("div", {class: "inside-legend"},
    legend, element("span", {class: "small", text: text("insideLegend")}), toggle, total);
}

/** @returns {{low: number, high: number}} what background and ink are in the network's input. */
function measureRange({imageShape: [height, width, channels = 1], preparation}) {
  const image = createEmptyImage(height, width, channels);
  const low = Math.min(...prepareImage(image, preparation));
  image.pixels.fill(255);
  return {low, high: Math.max(...prepareImage(image, preparation))};
}

function createHandlers(store, view, schedule) {
  const getShown = () => findShown(store.state, view);
  const complete = ({layer, map, unit}) => ({
    layer, unit: unit ?? findUnitOfMap(getShown(), layer, map, layOut(store.state.network, layer)),
  });
  const choose = (chosen, {byKey = false, open = false} = {}) => {
    Object.assign(view, {announce: byKey, open, group: Math.max(chosen.group ?? view.group, 0)});
    store.set({selection: complete(chosen)});
  };
  return {
    choose,
    hover(pointed) {
      // Without a choice, what was last looked at stays.
      if (!pointed && !store.state.selection) return;
      const found = pointed && complete(pointed);
      if (found?.layer === view.hovered?.layer && found?.unit === view.hovered?.unit) return;
      view.hovered = found;
      schedule();
    },
    move(index, {key}) {
      const step = toStep(key), shown = getShown(), layout = layOut(store.state.network, index);
      if (!step) return false;
      const unit = shown.layer === index ? shown.unit : findMiddle(layout, 0);
      const {map, row, column} = locate(layout, unit);
      choose({layer: index, unit: findUnit(layout, map, row + step[0], column + step[1])},
        {byKey: true});
      return true;
    },
  };
}

/** Keep the place when another map of the same layer is chosen. */
function findUnitOfMap(shown, layer, map, layout) {
  if (shown.layer !== layer) return findMiddle(layout, map);
  const {row, column} = locate(layout, shown.unit);
  return findUnit(layout, map, row, column);
}

/** @returns {{layer: number, unit: number}} hovered, chosen, or in the middle of the first map. */
function findShown({network, selection}, {hovered}) {
  if (hovered) return hovered;
  const layer = network.layers[selection?.layer];
  if (layer && !isNote(layer) && selection.unit < layOut(network, layer.index).count) {
    return selection;
  }
  const first = network.layers.find(({index, ...each}) => index > 0 && !isNote(each)).index;
  return {layer: first, unit: findMiddle(layOut(network, first), 0)};
}

/** Show the state: at most once for each frame. */
function update(state, view, handlers, live) {
  const {network, outputs} = state, {parts} = view;
  const {layer, unit} = findShown(state, view), {map} = locate(layOut(network, layer), unit);
  const isEmpty = state.changedImage.pixels.every((pixel) => pixel === 0);
  parts.painter.paint(outputs, isEmpty);
  parts.painter.markAnswer(isEmpty ? null : state.answer);
  paintValues(parts.legend, LEGEND, createDivergingScale(50));
  if (view.detail?.context.layer.index !== layer || view.detail.context.map !== map) {
    view.detail = createDetail(network, layer, map, handlers, view);
    parts.detailBox.replaceChildren(view.detail.root);
  }
  const field = findReceptiveField(network, layer, unit);
  const {detail} = view;
  const explanation = detail.update(state, unit, field, parts.painter.getScale);
  parts.painter.paintMap(detail.large.painter, layer, map);
  if (layer > 0) parts.painter.paintMap(detail.seen.painter, 0, 0);
  parts.lights.show(layer, unit, field, explanation);
  parts.codes?.update(outputs, isEmpty);
  for (const table of parts.tables) table.update({layer, map});
  parts.now.textContent = describeValue(detail.context, unit, explanation);
  showHint(parts.hint, isEmpty, network.pictureInput);
  finishChoice(view, live, explanation, {layer, unit, map});
}

function showHint(hint, isEmpty, pictureInput) {
  const empty = pictureInput === "picture" ? "insideEmptyPicture" : "insideEmpty";
  const isTouch = matchMedia("(pointer: coarse)").matches;
  const shown = text(isEmpty ? empty : isTouch ? "insideTapHint" : "insideHint");
  if (hint.textContent !== shown) hint.textContent = shown;
}

function finishChoice(view, live, explanation, {layer, unit, map}) {
  const {maps} = view.parts.figure.drawn.get(layer);
  if (maps[map].button.tabIndex !== 0) setRoving(maps.map(({button}) => button), map);
  if (view.announce) live.textContent = describeValue(view.detail.context, unit, explanation);
  if (view.open) view.detail.large.picture.focus();
  view.announce = view.open = false;
}
