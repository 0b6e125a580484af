/** The pad to draw on. */

import {element} from "#page/views/elements.js";
import {toInkColor} from "#page/views/pixels.js";
import {listenToKeys} from "#page/views/drawing/pad-keys.js";
import {listenToPointers} from "#page/views/drawing/pad-pointers.js";
import {
  addPoint, change, NO_HISTORY, redo, SIDE, traceStroke, undo,
} from "#page/views/drawing/strokes.js";

/** Milliseconds that reading a drawing may take in each frame. */
const SHORT = 10;
/** What stays free of ink along the pad's rim. */
const MARGIN = 2;

/** A pad's strokes, its pen and its canvas. */
export class Pad {
  #history = NO_HISTORY;
  #live = null;
  #backdrop = null;
  #frame = null;
  #timer = null;
  #pause = 0;
  #changed;

  /**
   * @param {{isColored: boolean, changed: function(boolean): void, say: function(string): void}}
   *   options `changed` is called after the pad was painted, with whether no stroke is being drawn;
   *   `say` tells screen readers the text of a key
   */
  constructor({isColored, changed, say}) {
    this.isColored = isColored;
    this.say = say;
    this.width = 22;
    this.color = "#1d4f91";
    /** Where the keyboard's pen is; null while the keyboard doesn't draw. */
    this.cursor = null;
    /** How often the drawing was changed. */
    this.edits = 0;
    this.#changed = changed;
    this.canvas = element("canvas", {
      id: "pad", tabindex: 0, role: "application", dataset: {label: "padLabel"},
      "aria-describedby": "pad-keys",
    });
    listenToPointers(this);
    listenToKeys(this);
    addEventListener("resize", () => this.paint());
  }

  /** The drawing, with the stroke that is being drawn. */
  get strokes() {
    return this.#live ? [...this.#history.present, this.#live] : this.#history.present;
  }

  get isDrawing() {
    return this.#live !== null;
  }

  get canUndo() {
    return this.#history.past.length > 0;
  }

  get canRedo() {
    return this.#history.future.length > 0;
  }

  /** Put the pen down. */
  start(x, y) {
    this.edits++;
    this.#backdrop = null;
    this.#live = {points: [], width: this.width, color: this.isColored ? this.color : null};
    this.move([[x, y]]);
  }

  /** Move the pen through some points: without effect if the stroke was taken back meanwhile. */
  move(points) {
    if (!this.isDrawing) return;
    // Ink at the rim would count as the picture's frame or as dirt.
    const least = this.#live.width / 2 + MARGIN;
    const keepInside = (value) => Math.min(Math.max(value, least), SIDE - least);
    for (const [x, y] of points) addPoint(this.#live, keepInside(x), keepInside(y));
    this.#request();
  }

  /** Take back the stroke that is being drawn. */
  cancel() {
    this.#live = null;
    this.#request();
  }

  /** Lift the pen. */
  end() {
    if (!this.isDrawing) return;
    const drawing = this.strokes;
    this.#live = null;
    this.#set(change(this.#history, drawing));
  }

  /** Take back the last change, or the stroke that is being drawn. */
  undo() {
    if (this.isDrawing) this.cancel();
    else if (this.canUndo) this.#set(undo(this.#history));
  }

  redo() {
    if (!this.isDrawing && this.canRedo) this.#set(redo(this.#history));
  }

  clear() {
    this.end();
    this.#backdrop = null;
    this.#set(this.strokes.length ? change(this.#history, []) : this.#history);
  }

  /** Empty the pad because an image from elsewhere is looked at; `undo` brings the drawing back. */
  replace(backdrop = null) {
    this.#live = null;
    cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#cancelReading();
    if (this.#history.present.length) this.#history = change(this.#history, []);
    this.#backdrop = backdrop;
    this.paint();
  }

  #set(history) {
    this.edits++;
    this.#live = null;
    this.#history = history;
    if (history.present.length) this.#backdrop = null;
    this.#request();
  }

  #request() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.paint();
      // The ink is shown first: what is computed of it follows after the frame.
      if (!this.isDrawing) this.#cancelReading();
      this.#timer ??= setTimeout(() => this.#read(), this.isDrawing ? this.#pause : 0);
    });
  }

  /** Let the drawing be read, and rest as long as that took where it takes long. */
  #read() {
    this.#timer = null;
    const start = performance.now();
    this.#changed(!this.isDrawing);
    const duration = performance.now() - start;
    this.#pause = duration > SHORT ? duration : 0;
  }

  #cancelReading() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Paint the pad at the screen's resolution. */
  paint() {
    const {canvas} = this;
    const side = Math.round((canvas.getBoundingClientRect().width || SIDE) * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, side, side);
    context.scale(side / SIDE, side / SIDE);
    if (this.#backdrop) paintBackdrop(context, this.#backdrop);
    const ink = `rgb(${toInkColor(1)})`;
    for (const stroke of this.strokes) traceStroke(context, stroke, stroke.color ?? ink);
    if (this.cursor) paintCursor(context, this);
    const isEmpty = !this.strokes.length && !this.#backdrop;
    canvas.parentElement?.toggleAttribute("data-empty", isEmpty);
  }
}

function paintBackdrop(context, picture) {
  const scale = SIDE / Math.max(picture.width, picture.height);
  const width = picture.width * scale, height = picture.height * scale;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
}

function paintCursor(context, {cursor: [x, y], width, isDrawing}) {
  const style = getComputedStyle(document.documentElement);
  context.lineWidth = 2;
  context.strokeStyle = style.getPropertyValue("--highlight");
  context.beginPath();
  context.arc(x, y, width / 2, 0, 2 * Math.PI);
  if (!isDrawing) {
    context.moveTo(x - width, y);
    context.lineTo(x + width, y);
    context.moveTo(x, y - width);
    context.lineTo(x, y + width);
  }
  context.stroke();
}
