/** Values as colors on a canvas. */

/** matplotlib's PuOr reversed, as in reports: violet is negative, orange positive. */
const DIVERGING = [
  [45, 0, 75], [84, 39, 136], [128, 115, 172], [178, 171, 210], [216, 218, 235], [247, 247, 247],
  [254, 224, 182], [253, 184, 99], [224, 130, 20], [179, 88, 6], [127, 59, 8],
];
/** In dark mode zero is dark, as the page is, and large values are bright. */
const DIVERGING_DARK = [
  [214, 196, 255], [178, 156, 232], [140, 118, 196], [98, 82, 148], [58, 52, 88], [30, 32, 36],
  [84, 54, 22], [144, 86, 24], [204, 124, 34], [245, 164, 74], [255, 208, 146],
];

/** Colors are computed once for each theme: canvases are painted in each frame of a drawing. */
const STEPS = 1024;
let theme = null, hasPhotographs = false;

/** @returns {boolean} whether the page is shown dark. */
export function isDark() {
  return getTheme().isDark;
}

/** Find out anew whether the page is shown dark, after that may have changed. */
export function refreshTheme() {
  theme = null;
}

function getTheme() {
  if (theme) return theme;
  const chosen = document.documentElement.dataset.theme;
  const isDark = chosen
    ? chosen === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const shares = Array.from({length: STEPS + 1}, (_, step) => step / STEPS);
  const [paper, full] = isDark ? [24, 244] : [255, 16];
  theme = {
    isDark,
    diverging: shares.map((share) => mixColors(isDark ? DIVERGING_DARK : DIVERGING, share)),
    ink: shares.map((share) => new Array(3).fill(Math.round(paper + (full - paper) * share))),
  };
  return theme;
}

function mixColors(colors, share) {
  const place = share * (colors.length - 1);
  const low = Math.min(Math.floor(place), colors.length - 2), rest = place - low;
  return colors[low].map((part, i) => Math.round(part + (colors[low + 1][i] - part) * rest));
}

/** @returns {number} the largest absolute value, and 1 where all are 0. */
export function findLimit(values) {
  let limit = 0;
  for (const value of values) limit = Math.max(limit, Math.abs(value));
  return limit || 1;
}

/** @returns {[number, number, number]} the color of a value of −1…1. */
export function toDivergingColor(value) {
  return getTheme().diverging[Math.round((clamp(value, -1) + 1) / 2 * STEPS)];
}

/** @returns {[number, number, number]} the color of ink of 0…1: dark on light, or light on dark. */
export function toInkColor(value) {
  return getTheme().ink[Math.round(clamp(value, 0) * STEPS)];
}

/** Show gray images as they are, as photographs, and not as ink. */
export function showPhotographs() {
  hasPhotographs = true;
}

/** @returns {[number, number, number]} the color of a gray image's value of 0…1. */
export function toGrayColor(value) {
  return hasPhotographs ? new Array(3).fill(255 * clamp(value, 0)) : toInkColor(value);
}

/** @returns {number} a value in least…1; 0 if it isn't a number. */
function clamp(value, least) {
  return Math.min(Math.max(value || 0, least), 1);
}

/**
 * Paint values, one pixel of the canvas each. Style the canvas to the size that is to be seen.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} height
 * @param {number} width
 * @param {function(number, number): number[]} getColor the color of (row, column)
 */
export function paint(canvas, height, width, getColor) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i += 4) {
      const [red, green, blue] = getColor(row, column);
      image.data[i] = red;
      image.data[i + 1] = green;
      image.data[i + 2] = blue;
      image.data[i + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/** Paint one map of an output (height, width, maps) from −limit (violet) to limit (orange). */
export function paintMap(canvas, values, [height, width, maps], map, limit) {
  paint(canvas, height, width, (row, column) =>
    toDivergingColor(values[(row * width + column) * maps + map] / limit));
}

/** Paint a raw image: gray ones as ink unless they are photographs, colored ones as they are. */
export function paintImage(canvas, {height, width, channels, pixels}) {
  paint(canvas, height, width, (row, column) => {
    const at = (row * width + column) * channels;
    return channels === 3
      ? [pixels[at], pixels[at + 1], pixels[at + 2]]
      : toGrayColor(pixels[at] / 255);
  });
}
