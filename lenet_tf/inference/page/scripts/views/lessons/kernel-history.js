/** How a filter learns: the weights of a layer's kernels over the epochs of a run. */

import {unpackArrays} from "#page/data.js";
import {text} from "#page/texts/index.js";
import {createSlider, element, formatNumber} from "#page/views/elements.js";
import {createChoice} from "#page/views/lessons/choice.js";
import {drawLines} from "#page/views/lessons/lines.js";
import {createNumberGrid} from "#page/views/lessons/number-grid.js";
import {createPlayer} from "#page/views/lessons/player.js";
import {nameNetwork} from "#page/views/network-names.js";
import {say} from "#page/views/trials/parts.js";

/**
 * Create the lesson, which fills itself when the kernels are unpacked.
 *
 * @param {object} store
 * @param {Object<string, {layer: string, epochs: number[], kernels: object}>} history by the name
 *   of a network; kernels are packed, (epochs, height, width, input maps, filters)
 */
export function createKernelHistory(store, history) {
  const root = element("div", {id: "kernel-history"}), names = Object.keys(history);
  const findNetwork = (name) => ({
    value: name,
    network: store.networks.find((network) => [network.name, network.variant].includes(name)),
  });
  const open = async (name) => {
    const {layer, epochs, kernels} = history[name];
    const [{shape, values}] = await unpackArrays(kernels);
    return {name, layer, epochs, shape, values};
  };
  let view = null;
  const choose = async (name) => {
    view = createView(await open(name), names.map(findNetwork), choose);
    root.replaceChildren(view.root);
    view.show();
  };
  store.watch(["language", "theme"], () => view?.show());
  store.watch(["network"], ({network}) => {
    const name = [network.name, network.variant].find((wanted) => names.includes(wanted));
    if (name || !view) choose(name ?? names[0]);
  });
  return root;
}

/**
 * Read one kernel.
 *
 * @param {{shape: number[], values: Float32Array}} history (epochs, height, width, maps, filters)
 * @returns {number[]} height × width
 */
export function readKernel({shape, values}, epoch, filter, map = 0) {
  const [, height, width, maps, filters] = shape;
  return Array.from({length: height * width}, (_, i) =>
    values[((epoch * height * width + i) * maps + map) * filters + filter]);
}

function createView(history, choices, choose) {
  const {epochs, shape} = history, [count, , , maps, filters] = shape;
  const chosen = {epoch: 0, filter: 0, map: 0};
  const change = (patch) => {
    Object.assign(chosen, patch);
    show();
  };
  const networks = createChoice("history-network", "historyNetwork", {}, choose);
  const options = choices.map(({value}) => element("option", {value}));
  networks.select.replaceChildren(...options);
  networks.show(history.name);
  const sliders = [["filter", "historyFilter", filters], ["map", "historyMap", maps]]
    .filter(([, , choices]) => choices > 1)
    .map(([name, label, choices]) => createSlider({
      id: `history-${name}`, label, min: 0, max: choices - 1, step: 1, value: 0,
      change: (value) => change({[name]: value}),
    }));
  const player = createPlayer({
    id: "history-epoch", label: "historyEpoch", count, milliseconds: 400,
    format: (place) => String(epochs[place]), change: (epoch) => change({epoch}),
  });
  const figure = createFigure(history);
  const show = () => {
    choices.forEach(({value, network}, i) => {
      options[i].textContent = network ? nameNetwork(network) : value;
    });
    player.describe();
    figure.show(chosen);
  };
  const root = element("div", {},
    element("div", {class: "lesson-controls"}, networks.root, ...sliders), player, figure.root);
  return {root, show};
}

/** Create the kernel as numbers and as lines. */
function createFigure(history) {
  const {epochs, layer} = history;
  const grid = createNumberGrid({id: "history-kernel"});
  const lines = element("div", {class: "history-lines"});
  const caption = element("p", {class: "quiet small", id: "history-change"});
  let shown = null, width = 0;
  const show = (chosen) => {
    shown = chosen;
    const {epoch, filter, map} = chosen, values = {layer, filter, epoch: epochs[epoch]};
    const kernels = epochs.map((_, i) => readKernel(history, i, filter, map));
    const limit = Math.max(...kernels.flat().map(Math.abs)) || 1;
    grid.show(kernels[epoch], {limit, digits: 2, caption: text("historyKernel", values)});
    lines.replaceChildren(drawLines({
      kernels, epochs, position: epoch, limit, width: lines.clientWidth,
      label: text("historyLines", values),
    }));
    const change = formatNumber(findChange(kernels[0], kernels[epoch]));
    if (epoch === 0) caption.textContent = "";
    else say(caption, "historyChange", {...values, change, first: epochs[0]});
  };
  new ResizeObserver(() => {
    if (width === lines.clientWidth || !shown) return;
    width = lines.clientWidth;
    show(shown);
  }).observe(lines);
  return {root: element("div", {}, element("div", {class: "grids"}, grid, lines), caption), show};
}

/** @returns {number} the root mean square of the differences. */
function findChange(before, now) {
  const sum = now.reduce((total, value, i) => total + (value - before[i]) ** 2, 0);
  return Math.sqrt(sum / now.length);
}
