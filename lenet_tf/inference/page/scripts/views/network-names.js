/** Names of networks for people. */

import {text, TEXTS} from "#page/texts/index.js";

/** @returns {string} a known preset's name in the chosen language, else the network's own name. */
export function nameNetwork({preset, name}) {
  return `name ${preset}` in TEXTS ? text(`name ${preset}`) : name;
}

/** @returns {string} the network and its recipe in words. */
export function describeNetwork({preset, title}) {
  return `title ${preset}` in TEXTS ? text(`title ${preset}`) : title;
}
