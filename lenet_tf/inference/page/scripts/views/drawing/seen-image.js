/** Shows the image that the network gets. */

import {nameClasses} from "#page/network/network.js";
import {text} from "#page/texts/index.js";
import {element} from "#page/views/elements.js";
import {paintImage} from "#page/views/pixels.js";

/** @returns {HTMLElement} the panel, which repaints itself. */
export function createSeenImage(store, {pictureInput}) {
  const canvas = element("canvas", {id: "seen-image", role: "img"});
  const title = element("figcaption", {class: "seen-title"});
  const note = element("p", {class: "quiet small"});
  const [height, width] = store.networks[0].imageShape;
  canvas.style.aspectRatio = `${width} / ${height}`;
  store.watch(["changedImage", "theme"], (state) => paintImage(canvas, state.changedImage));
  store.watch(["origin", "changedImage", "language", "network"], (state) => {
    title.textContent = nameImage(state);
    canvas.setAttribute("aria-label", title.textContent);
    note.textContent = explainImage(state, pictureInput);
  });
  return element("section", {class: "panel seen", "aria-labelledby": "seen-heading"},
    element("h3", {id: "seen-heading", dataset: {text: "seenHeading"}}),
    element("figure", {}, canvas, title), note);
}

/** @returns {string} what the image shows. */
export function nameImage({origin, network, image, changedImage}) {
  const isChanged = image !== changedImage;
  if (origin.kind === "empty" || origin.error) return text("seenNothing");
  if (isChanged) return text("seenChanged");
  if (origin.kind !== "example") return text(origin.kind === "file" ? "seenFile" : "seenDrawing");
  return text("exampleName", {number: origin.number, name: nameClasses(network)[origin.label]});
}

function explainImage({origin, image: {height, width, channels}}, pictureInput) {
  const size = `${width}×${height}`;
  if (origin.kind === "example") return text("explainExample", {size});
  if (pictureInput === "digit") return text("explainDigit", {size});
  return text(channels === 3 ? "explainColors" : "explainGray", {size});
}
