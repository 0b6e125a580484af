/** Switches for the maps and units of each layer. */

import {NO_CHANGES} from "#page/changes/changes.js";
import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {findLimit, paintMap} from "#page/views/pixels.js";
import {create, moveByArrows, runInFrame, runWhenSeen, say} from "#page/views/trials/parts.js";

/** Kinds of rows that compute something of their own from the layer before. */
const KINDS = new Set([
  "convolution", "table_convolution", "subsampling", "pooling", "dense", "global_average_pooling",
]);

/** @returns {object[]} the layers whose maps or units can be switched off. */
export function listSwitchable({layers}) {
  return layers.slice(0, -1).filter(({kind}) => KINDS.has(kind));
}

/** @returns {HTMLElement} */
export function createMapSwitches(store) {
  const layers = element("div", {class: "map-layers"});
  const resetAll = create("button", "mapsReset", {
    type: "button", id: "reset-maps", click: () => setDisabled(store, NO_CHANGES.disabled),
  });
  let groups = [];
  rememberForEachNetwork(store);
  store.watch(["network"], ({network}) => {
    groups = listSwitchable(network).map((layer) => createGroup(store, layer));
    if (groups.length) groups[0].root.open = true;
    layers.replaceChildren(...groups.map(({root}) => root));
  });
  const paintOpen = () => groups.forEach(({paint}) => paint(store.state.outputs));
  store.watch(["outputs", "theme"], runWhenSeen(layers, paintOpen));
  layers.addEventListener("toggle", runInFrame(paintOpen), {capture: true});
  let shown = {};
  store.watch(["changes", "network", "language"], ({changes: {disabled}, network, language}) => {
    // Sliders change other parts of the changes, many times a second.
    if (shown.disabled === disabled && shown.network === network && shown.language === language) {
      return;
    }
    shown = {disabled, network, language};
    groups.forEach(({update}) => update(disabled));
    resetAll.disabled = !countDisabled(disabled);
  });
  return element("div", {}, create("p", "mapsCaption", {class: "quiet small"}),
    element("div", {class: "trials-buttons"}, resetAll, createShortcut(store)), layers);
}

const countDisabled = (disabled) =>
  Object.values(disabled).reduce((total, maps) => total + maps.length, 0);

function setDisabled(store, disabled) {
  store.set({changes: {...store.state.changes, disabled}});
}

function switchMap(store, layer, map) {
  const {disabled} = store.state.changes, off = disabled[layer.name] ?? [];
  setDisabled(store, {
    ...disabled,
    [layer.name]: off.includes(map)
      ? off.filter((other) => other !== map)
      : [...off, map].sort((a, b) => a - b),
  });
}

/** Keep what is switched off in a network until it is chosen again: others have other maps. */
function rememberForEachNetwork(store) {
  const remembered = new Map();
  let chosen = store.state.network;
  store.watch(["changes"], ({network, changes}) => {
    if (network === chosen) remembered.set(network, changes.disabled);
  });
  store.watch(["network"], ({network, changes}) => {
    if (network === chosen) return;
    chosen = network;
    const disabled = remembered.get(network) ?? NO_CHANGES.disabled;
    if (countDisabled(disabled) || countDisabled(changes.disabled)) setDisabled(store, disabled);
  });
}

/** Create the button for the map that is selected in "See inside". */
function createShortcut(store) {
  const find = ({network, selection}) => {
    const layer = selection && network.layers[selection.layer];
    if (!layer || !listSwitchable(network).includes(layer)) return null;
    return {layer, map: selection.unit % layer.outputShape.at(-1)};
  };
  const button = element("button", {
    type: "button", id: "switch-selected",
    click: () => {
      const {layer, map} = find(store.state);
      switchMap(store, layer, map);
    },
  });
  store.watch(["selection", "network", "changes", "language"], (state) => {
    const found = find(state);
    button.hidden = !found;
    if (!found) return;
    const {layer, map} = found, isOff = state.changes.disabled[layer.name]?.includes(map);
    say(button, isOff ? "mapsSelectedOn" : "mapsSelectedOff", {layer: layer.name, map});
  });
  return button;
}

/** Create a button for each map, with a canvas where maps have more than one unit. */
function createSwitches(store, layer, hasPictures) {
  const maps = Array.from({length: layer.outputShape.at(-1)}, (_, map) => map);
  const canvases = hasPictures ? maps.map(() => element("canvas", {"aria-hidden": "true"})) : [];
  const buttons = maps.map((map) => element("button", {
    type: "button", id: `map-${layer.name}-${map}`,
    class: hasPictures ? "map-switch" : "unit-switch", click: () => switchMap(store, layer, map),
  }, ...canvases.slice(map, map + 1), element("span", {text: String(map), "aria-hidden": "true"})));
  return {buttons, canvases};
}

/** Create the switches of one layer, which can be folded away. */
function createGroup(store, layer) {
  const {outputShape} = layer, maps = outputShape.at(-1);
  const hasPictures = outputShape.length === 3 && outputShape[0] > 1;
  const title = element("span", {}), count = element("span", {class: "quiet small"});
  const reset = create("button", "mapsAllOn", {
    type: "button", class: "small-button", click: () => {
      const {[layer.name]: _, ...others} = store.state.changes.disabled;
      setDisabled(store, others);
    },
  });
  const {buttons, canvases} = createSwitches(store, layer, hasPictures);
  const group = element("div", {class: "map-buttons", role: "group"}, ...buttons);
  moveByArrows(group);
  const root = element("details", {id: `maps-${layer.name}`},
    element("summary", {}, title, " ", count), group, reset);
  return {
    root,
    paint(outputs) {
      if (!root.open || !hasPictures) return;
      const values = outputs[layer.index], limit = findLimit(values);
      canvases.forEach((canvas, map) => paintMap(canvas, values, outputShape, map, limit));
    },
    update(disabled) {
      const off = new Set(disabled[layer.name]);
      const values = {layer: layer.name, count: maps, off: off.size};
      say(title, outputShape.length === 3 ? "mapsOfLayer" : "unitsOfLayer", values);
      say(count, off.size ? "mapsOff" : "mapsNoneOff", values);
      group.setAttribute("aria-label", title.textContent);
      reset.hidden = !off.size;
      buttons.forEach((button, map) => {
        button.setAttribute("aria-pressed", String(off.has(map)));
        button.setAttribute("aria-label", text("mapButton", {layer: layer.name, map}));
      });
    },
  };
}
