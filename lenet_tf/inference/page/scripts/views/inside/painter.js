/** Paints values quickly: colors come from tables, and each canvas keeps its pixels. */

import {isDark, toDivergingColor, toGrayColor} from "#page/views/pixels.js";

const STEPS = 512;
let tables = null;

/**
 * @typedef {object} Scale
 * @property {Uint32Array} colors
 * @property {number} low the value of the first color
 * @property {number} high the value of the last color
 */

function getTables() {
  const dark = isDark();
  if (tables?.dark !== dark) {
    const fill = (toColor) => Uint32Array.from({length: STEPS + 1}, (_, i) => pack(toColor(i)));
    tables = {
      dark,
      diverging: fill((i) => toDivergingColor(2 * i / STEPS - 1)),
      ink: fill((i) => toGrayColor(i / STEPS)),
    };
  }
  return tables;
}

const pack = ([red, green, blue]) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0;

/** @returns {Scale} from −limit, violet, to limit, orange. */
export function createDivergingScale(limit) {
  return {colors: getTables().diverging, low: -limit, high: limit};
}

/** @returns {Scale} from the background's value to that of ink. */
export function createInkScale(low, high) {
  return {colors: getTables().ink, low, high};
}

/** @returns {number} a color as 0xAABBGGRR. */
function toColor(value, {colors, low, high}) {
  const place = Math.round((value - low) / (high - low) * STEPS);
  return colors[Math.min(Math.max(place || 0, 0), STEPS)];
}

/** @returns {{background: string, color: string}} of an element that shows a value. */
export function toStyle(value, scale) {
  const color = toColor(value, scale);
  const red = color & 255, green = color >> 8 & 255, blue = color >> 16 & 255;
  const luminance = 0.2126 * toLinear(red) + 0.7152 * toLinear(green) + 0.0722 * toLinear(blue);
  return {
    background: `rgb(${red} ${green} ${blue})`,
    color: luminance > 0.179 ? "#000" : "#fff",
  };
}

const toLinear = (part) => (part / 255) ** 2.2;

/**
 * Create a canvas with one pixel for each value.
 *
 * @param {number} height
 * @param {number} width
 */
export function createPainter(height, width) {
  const canvas = document.createElement("canvas");
  canvas.height = height;
  canvas.width = width;
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  return {canvas, context, image, pixels: new Uint32Array(image.data.buffer)};
}

/**
 * Paint values[first], values[first + step], … ; pixels after the last value stay clear.
 *
 * @param {object} painter
 * @param {ArrayLike<number>} values
 * @param {Scale} scale
 * @param {{first?: number, step?: number}} places
 */
export function paintValues(painter, values, scale, {first = 0, step = 1} = {}) {
  const {context, image, pixels} = painter, {colors, low, high} = scale;
  const factor = STEPS / (high - low);
  for (let i = 0, at = first; i < pixels.length && at < values.length; i++, at += step) {
    const place = Math.round((values[at] - low) * factor);
    pixels[i] = colors[place < 0 ? 0 : place > STEPS ? STEPS : place];
  }
  context.putImageData(image, 0, 0);
}

/** Paint a color image, three values a pixel from low (dark) to high (bright). */
export function paintColors(painter, values, low, high) {
  const {context, image, pixels} = painter;
  const toByte = (value) => Math.min(Math.max((value - low) / (high - low) * 255, 0), 255);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = pack([0, 1, 2].map((channel) => toByte(values[3 * i + channel])));
  }
  context.putImageData(image, 0, 0);
}
