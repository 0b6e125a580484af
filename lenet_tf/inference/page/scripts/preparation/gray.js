/** Turns a picture in color into gray levels that show its strokes. */

import {walkSides} from "#page/preparation/planes.js";
import {resizeBytes} from "#page/preparation/resize.js";
import {computeMedian, computePercentile, roundHalfEven, sum} from
  "#page/preparation/statistics.js";

// Statistics are taken from a copy of at most this side.
const SMALL_SIDE = 128;
// Strokes and paper differ in color, not in lightness, from this distance and ratio on.
const MIN_COLOR_DISTANCE = 40, MAX_LIGHTNESS_RATIO = 0.3;
// A partly transparent picture shows a sheet if it is mostly opaque and its lightness varies.
const MIN_SHEET_AREA = 0.5, MIN_SHEET_DEVIATION = 20;

/**
 * Turn a picture into gray levels.
 *
 * @param {{height: number, width: number, data: Uint8ClampedArray}} picture red, green, blue and
 *   opacity, as ImageData
 * @returns {{height: number, width: number, pixels: Uint8Array}} 0 black … 255 white
 */
export function toGray({height, width, data}) {
  const image = {height, width, channels: 4, pixels: data};
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) return fillTransparent(image);
  return reduceColors(takeColors(image));
}

/** @returns {Uint8Array} the lightness of each pixel, as Pillow computes it. */
export function computeLightness({channels, pixels}) {
  const lightness = new Uint8Array(pixels.length / channels);
  for (let at = 0; at < lightness.length; at++) {
    const red = pixels[at * channels], green = pixels[at * channels + 1];
    const blue = pixels[at * channels + 2];
    lightness[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
  return lightness;
}

/** @returns {number} a mixture of two levels, rounded as by Pillow. */
export function mix(below, above, opacity) {
  return divide(below * (255 - opacity) + above * opacity);
}

/** Divide by 255 and round. */
function divide(value) {
  const rounded = value + 128;
  return ((rounded >> 8) + rounded) >> 8;
}

/** @returns {import("#page/store.js").RawImage} red, green and blue without opacity. */
function takeColors({height, width, pixels}) {
  const colors = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) {
    for (let channel = 0; channel < 3; channel++) {
      colors[at * 3 + channel] = pixels[at * 4 + channel];
    }
  }
  return {height, width, channels: 3, pixels: colors};
}

function shrink(image) {
  const scale = Math.min(1, SMALL_SIDE / Math.max(image.height, image.width));
  const [height, width] = [image.height, image.width].map(
    (side) => Math.max(1, roundHalfEven(side * scale)),
  );
  if (height === image.height && width === image.width) return image;
  if (image.channels === 3) return resizeBytes(image, height, width, "box");
  return divideByOpacity(resizeBytes(multiplyByOpacity(image), height, width, "box"));
}

function multiplyByOpacity(image) {
  const pixels = new Uint8Array(image.pixels);
  for (let at = 0; at < pixels.length; at++) {
    if (at % 4 < 3) pixels[at] = divide(pixels[at] * pixels[at | 3]);
  }
  return {...image, pixels};
}

function divideByOpacity(image) {
  const pixels = image.pixels.map((value, at) => {
    const opacity = image.pixels[at | 3];
    if (at % 4 === 3 || !opacity || opacity === 255) return value;
    return Math.min(255, Math.floor((255 * value) / opacity));
  });
  return {...image, pixels};
}

/** Fill what is transparent with white, or with black around light strokes. */
function fillTransparent(image) {
  const small = shrink(image);
  const opacity = Float64Array.from({length: small.height * small.width},
    (_, at) => small.pixels[at * 4 + 3]);
  const lightness = Float64Array.from(computeLightness(small));
  const whole = sum(opacity), total = Math.max(whole, 1);
  const mean = sum(lightness.map((value, at) => value * opacity[at])) / total;
  const squares = lightness.map((value, at) => (value - mean) ** 2 * opacity[at]);
  const deviation = Math.sqrt(sum(squares) / total);
  const isSheet = whole / opacity.length / 255 > MIN_SHEET_AREA
    && deviation > MIN_SHEET_DEVIATION;
  // Light strokes would vanish on white.
  const fill = mean > 127 && !isSheet ? 0 : 255;
  const pixels = computeLightness(image);
  for (let at = 0; at < pixels.length; at++) {
    pixels[at] = mix(fill, pixels[at], image.pixels[at * 4 + 3]);
  }
  return {height: image.height, width: image.width, pixels};
}

/** Return the lightness, or the likeness to the paper's color where the lightness is even. */
function reduceColors(image) {
  const {height, width} = image, gray = {height, width, pixels: computeLightness(image)};
  const small = shrink(image), rim = walkSides(small);
  const paper = [0, 1, 2].map((channel) => computeMedian(
    Float64Array.from(rim, (at) => small.pixels[at * 3 + channel]),
  ));
  const lightness = Float64Array.from(computeLightness(small));
  const distances = lightness.map((_, at) => Math.max(
    ...paper.map((value, channel) => Math.abs(small.pixels[at * 3 + channel] - value)),
  ));
  const distance = computePercentile(distances, 99);
  const middle = computeMedian(Float64Array.from(rim, (at) => lightness[at]));
  const contrast = computePercentile(lightness.map((value) => Math.abs(value - middle)), 99);
  if (distance < MIN_COLOR_DISTANCE || contrast > MAX_LIGHTNESS_RATIO * distance) return gray;
  const solid = paper.map(roundHalfEven);
  const pixels = gray.pixels.map((_, at) => 255 - Math.max(
    ...solid.map((value, channel) => Math.abs(image.pixels[at * 3 + channel] - value)),
  ));
  return {height, width, pixels};
}
