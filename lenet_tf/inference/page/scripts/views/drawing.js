/** Where an image comes from: the pad, the test images or a picture; and what it is read as. */

import {text} from "#page/texts/index.js";
import {createAnswer} from "#page/views/drawing/answer.js";
import {findFirstExample} from "#page/views/drawing/example-images.js";
import {createExamples} from "#page/views/drawing/examples.js";
import {Pad} from "#page/views/drawing/pad.js";
import {createPadTools} from "#page/views/drawing/pad-tools.js";
import {decodePicture, listenToFiles, toCanvas} from "#page/views/drawing/picture-files.js";
import {createPictureReader} from "#page/views/drawing/pictures.js";
import {createSeenImage} from "#page/views/drawing/seen-image.js";
import {element, find} from "#page/views/elements.js";

/** Fill `#drawing`. */
export function createDrawing(store, content) {
  const isDigit = content.pictureInput === "digit";
  const hasExamples = content.examples.labels.length > 0;
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
  const replaceDrawing = (backdrop) => {
    pad.replace(backdrop);
    tools.update();
  };
  let choices = 0;
  const examples = createExamples(store, content, () => {
    choices++;
    replaceDrawing(null);
  });
  const readFile = createFileReader(reader, replaceDrawing, () => choices + pad.edits);
  listenToFiles(readFile);
  const answer = createAnswer(store, content, () => pad.isDrawing);
  find("drawing").append(
    element("div", {class: "drawing-row"},
      createPadPanel(pad, tools, answer.short, isDigit), createSeenImage(store, content),
      answer.root),
    createSources(hasExamples ? examples : null, readFile), status);
  store.watch(["theme"], () => pad.paint());
  if (!isDigit) document.querySelector("[data-text=lead]").dataset.text = "leadPicture";
  if (hasExamples) examples.choose(findFirstExample(store, content));
}

/**
 * @param {object} reader
 * @param {function(?HTMLCanvasElement): void} replaceDrawing
 * @param {function(): number} countActions how often something else was drawn or chosen
 * @returns {function(Blob): Promise<void>} shows a picture instead of the drawing, unless something
 *   newer was drawn, chosen or opened while it was decoded
 */
function createFileReader(reader, replaceDrawing, countActions) {
  let files = 0;
  return async (file) => {
    const number = ++files, actions = countActions();
    const picture = await decodePicture(file).catch(() => null);
    if (number !== files || actions !== countActions()) return;
    if (!picture) {
      replaceDrawing(null);
      reader.refuse("file");
      return;
    }
    replaceDrawing(toCanvas(picture));
    reader.readPicture(picture);
  };
}

function createPadPanel(pad, tools, answer, isDigit) {
  const hint = isDigit ? "padHint" : "padHintPicture";
  const heading = isDigit ? "padHeading" : "padHeadingPicture";
  return element("section", {class: "panel pad-panel", "aria-labelledby": "pad-heading"},
    element("div", {class: "pad-head"},
      element("h3", {id: "pad-heading", dataset: {text: heading}}), answer),
    element("div", {class: "paper"}, pad.canvas,
      element("p", {class: "pad-hint", "aria-hidden": "true", dataset: {text: hint}})),
    tools.root, createKeyHelp(pad));
}

/** Create the explanation of the keys, which is shown to those who use them. */
function createKeyHelp({canvas}) {
  const help = element("p", {
    id: "pad-keys", class: "small quiet", hidden: "", dataset: {text: "padKeys"},
  });
  // Once shown it stays: a button that moves while it is being pressed would miss the click.
  const show = () => {
    if (canvas.matches(":focus-visible")) help.hidden = false;
  };
  canvas.addEventListener("focus", show);
  canvas.addEventListener("keydown", show);
  return help;
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
