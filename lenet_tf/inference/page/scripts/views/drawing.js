/** Where an image comes from: the pad, the test images or a picture; and what it is read as. */

import {classify} from "#page/network/classify.js";
import {text} from "#page/texts/index.js";
import {createAnswer} from "#page/views/drawing/answer.js";
import {createExamples, takeExample} from "#page/views/drawing/examples.js";
import {Pad} from "#page/views/drawing/pad.js";
import {createPadTools} from "#page/views/drawing/pad-tools.js";
import {decodePicture, listenToFiles, toCanvas} from "#page/views/drawing/picture-files.js";
import {createPictureReader} from "#page/views/drawing/pictures.js";
import {createSeenImage} from "#page/views/drawing/seen-image.js";
import {element, find} from "#page/views/elements.js";

/** The class of the test image that the page shows first. */
const FIRST_CLASS = 5;

/** Fill `#drawing`. */
export function createDrawing(store, content) {
  const reader = createPictureReader(store, content.pictureInput);
  const status = element("p", {class: "visually-hidden", role: "status"});
  const pad = new Pad({
    isColored: reader.isColored,
    changed: (isFinished) => {
      reader.readStrokes(pad.strokes, isFinished);
      tools.update();
    },
    say: (key) => status.replaceChildren(text(key)),
  });
  const tools = createPadTools(pad);
  const examples = createExamples(store, content, () => replacePad(null));

  function replacePad(backdrop) {
    pad.replace(backdrop);
    tools.update();
  }

  async function readFile(file) {
    let picture;
    try {
      picture = await decodePicture(file);
    } catch {
      replacePad(null);
      reader.refuse("file");
      return;
    }
    replacePad(toCanvas(picture));
    reader.readPicture(picture);
  }

  find("drawing").append(
    element("div", {class: "drawing-row"},
      createPadPanel(pad, tools, content.pictureInput === "digit"),
      createSeenImage(store, content),
      createAnswer(store, content, () => pad.isDrawing)),
    createSources(content.examples.labels.length ? examples : null, readFile), status);
  listenToFiles(readFile);
  store.watch(["theme"], () => pad.paint());
  if (content.pictureInput !== "digit") {
    document.querySelector("[data-text=lead]").dataset.text = "leadPicture";
  }
  if (content.examples.labels.length) examples.choose(findFirst(store, content));
}

/** @returns {number} a test image of the first class to be seen that all networks read. */
function findFirst({networks}, {examples}) {
  const wanted = Math.min(FIRST_CLASS, Math.max(...examples.labels));
  let best = 0, most = -1;
  examples.labels.forEach((label, index) => {
    if (label !== wanted) return;
    const image = takeExample(examples, index);
    const least = Math.min(...networks.map((network) => classify(network, image)[label]));
    if (least > most) [best, most] = [index, least];
  });
  return best;
}

function createPadPanel(pad, tools, isDigit) {
  const hint = isDigit ? "padHint" : "padHintPicture";
  return element("section", {class: "panel pad-panel", "aria-labelledby": "pad-heading"},
    element("h3", {id: "pad-heading", dataset: {text: isDigit ? "padHeading" : "padHeadingPicture"}}),
    element("div", {class: "paper"}, pad.canvas,
      element("p", {class: "pad-hint", "aria-hidden": "true", dataset: {text: hint}})),
    element("p", {id: "pad-keys", class: "small quiet", dataset: {text: "padKeys"}}),
    tools.root);
}

function createSources(examples, readFile) {
  const heading = examples ? "sourcesHeading" : "filesHeading";
  const tools = element("div", {class: "sources-tools"},
    element("h3", {id: "sources-heading", dataset: {text: heading}}));
  if (examples) {
    tools.append(element("button", {type: "button", id: "random-example",
      click: examples.chooseRandom, dataset: {text: "randomExample"}}));
  }
  tools.append(
    createFileButton("choose-file", "chooseFile", {}, readFile),
    createFileButton("take-photo", "takePhoto", {capture: "environment"}, readFile),
    element("span", {class: "quiet small drop-hint", dataset: {text: "dropHint"}}));
  return element("section", {class: "sources", "aria-labelledby": "sources-heading"},
    tools, ...(examples ? [examples.root] : []));
}

function createFileButton(id, label, attributes, readFile) {
  const input = element("input", {
    type: "file", accept: "image/*", id, class: "visually-hidden", ...attributes,
    change: () => {
      if (input.files.length) readFile(input.files[0]);
      input.value = "";
    },
  });
  return element("label", {class: `button ${id}`},
    input, element("span", {dataset: {text: label}}));
}
