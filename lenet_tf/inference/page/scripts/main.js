/** Starts the page. */

import {readPageData, unpackArrays} from "#page/data.js";
import {loadNetwork} from "#page/network/network.js";
import {createStore} from "#page/store.js";
import {setLanguage, translate} from "#page/texts/index.js";
import {createAbout} from "#page/views/about.js";
import {createDrawing} from "#page/views/drawing.js";
import {createInside} from "#page/views/inside.js";
import {createLessons} from "#page/views/lessons.js";
import {createNetworkChoice} from "#page/views/network-choice.js";
import {createPageParts} from "#page/views/page-parts.js";
import {createSettings} from "#page/views/settings.js";
import {showPhotographs} from "#page/views/pixels.js";
import {createTrials} from "#page/views/trials.js";

/**
 * What the page shows beside networks.
 *
 * @typedef {object} PageContent
 * @property {{data: string, images: {shape: number[], values: Uint8Array}, labels: number[],
 *   numbers: number[], misreadBy: number[][]}} examples the name of the data set, test images (N,
 *   height, width, channels), their classes and numbers, and the positions of the networks that
 *   misread each
 * @property {?import("#page/network/network.js").Network} detector tells digits from other things
 * @property {number[]} thresholds of the detector
 * @property {?object} kernelHistory see views/kernel-history.js
 * @property {boolean} hasPhotographs whether gray images are shown as they are, and not as ink
 * @property {string} version of lenet_tf
 * @property {string} pictureInput "digit" or "picture": what a picture becomes
 */
async function start() {
  const data = readPageData();
  const networks = await Promise.all(data.networks.map(loadNetwork));
  const [images] = await unpackArrays(data.examples.images);
  const content = {
    ...data,
    examples: {...data.examples, images},
    detector: data.detector && await loadNetwork(data.detector),
  };
  if (data.hasPhotographs) showPhotographs();
  const store = createStore(networks);
  store.watch(["language"], ({language}) => {
    setLanguage(language);
    translate(document);
  });
  for (const create of [
    createSettings, createNetworkChoice, createDrawing, createInside, createTrials, createLessons,
    createAbout,
  ]) {
    create(store, content);
  }
  translate(document);
  createPageParts();
  document.documentElement.dataset.ready = "";
  return {store, content};
}

// Tests and curious readers find the page's state here.
globalThis.lenetPage = start();
