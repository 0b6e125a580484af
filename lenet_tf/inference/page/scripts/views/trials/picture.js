/** The changed image, on which a square can be dragged. */

import {explainRefusal, isAnswered} from "#page/views/drawing/answer.js";
import {element} from "#page/views/elements.js";
import {paintImage} from "#page/views/pixels.js";
import {create, say} from "#page/views/trials/parts.js";
import {text} from "#page/texts/index.js";

/** The square that a first press on the picture makes, as a share of its side. */
const NEW_SIDE = 0.25;

/** @returns {HTMLElement} */
export function createPicture(store, content) {
  const canvas = element("canvas", {class: "trials-canvas", id: "changed-image", role: "img"});
  const frame = element("div", {class: "trials-square", id: "square", hidden: ""});
  const root = element("div", {class: "trials-frame"}, canvas, frame);
  const hint = create("p", "pictureHint", {class: "quiet small"});
  const empty = element("p", {class: "small", id: "trials-empty"});
  const take = create("button", "takeExample", {
    type: "button", id: "take-example", click: () => store.set(findExample(content.examples)),
  });
  dragSquare(store, root);
  store.watch(["changedImage", "changes", "theme"], ({changedImage, changes}) => {
    paintImage(canvas, changedImage);
    placeFrame(frame, changes.occlusion, changedImage);
  });
  const isDigit = content.pictureInput === "digit";
  store.watch(["origin", "language"], (state) => {
    const {error} = state.origin, isEmpty = !isAnswered(state);
    empty.hidden = !isEmpty;
    take.hidden = !isEmpty || !content.examples.labels.length;
    hint.hidden = isEmpty;
    if (error) empty.textContent = explainRefusal(error);
    else say(empty, isDigit ? "trialsEmpty" : "trialsEmptyPicture");
    canvas.setAttribute("aria-label", text("pictureLabel"));
  });
  return element("div", {class: "trials-left"}, root, hint, empty, take);
}

/** @returns {object} what the store needs to show the first test image of a 7, or of any class. */
function findExample({images, labels, numbers}) {
  const [, height, width, channels] = images.shape, size = height * width * channels;
  const index = Math.max(labels.indexOf(7), 0);
  return {
    image: {height, width, channels, pixels: images.values.slice(index * size, (index + 1) * size)},
    origin: {kind: "example", label: labels[index], number: numbers[index], error: null,
      picture: null, isFinished: true},
  };
}

function placeFrame(frame, occlusion, {height, width}) {
  frame.hidden = !occlusion?.side;
  if (frame.hidden) return;
  const {top, left, side} = occlusion;
  Object.assign(frame.style, {
    top: `${100 * top / height}%`, left: `${100 * left / width}%`,
    width: `${100 * Math.min(side, width - left) / width}%`,
    height: `${100 * Math.min(side, height - top) / height}%`,
  });
}

/** Let a press and a drag on an element put the square's center there. */
function dragSquare(store, root) {
  const move = (event) => {
    const {height, width} = store.state.image, box = root.getBoundingClientRect();
    const side = store.state.changes.occlusion?.side
      || Math.round(NEW_SIDE * Math.min(height, width));
    const place = (share, length) =>
      Math.min(Math.max(Math.round(share * length - side / 2), 0), Math.max(length - side, 0));
    store.set({changes: {...store.state.changes, occlusion: {
      top: place((event.clientY - box.top) / box.height, height),
      left: place((event.clientX - box.left) / box.width, width),
      side,
    }}});
  };
  root.addEventListener("pointerdown", (event) => {
    root.setPointerCapture(event.pointerId);
    move(event);
  });
  root.addEventListener("pointermove", (event) => {
    if (root.hasPointerCapture(event.pointerId)) move(event);
  });
}
