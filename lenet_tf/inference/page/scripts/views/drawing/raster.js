/** Turns strokes into a picture of a fixed size, whatever the screen's resolution is. */

import {SIDE, traceStroke} from "#page/views/drawing/strokes.js";

/**
 * Create a function that rasterizes drawings.
 *
 * @param {boolean} isColored whether strokes keep their colors, on white; else they are white on
 *   black
 * @returns {function(import("#page/views/drawing/strokes.js").Stroke[]): ImageData} of SIDE × SIDE
 */
export function createRasterizer(isColored) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  return (strokes) => {
    context.fillStyle = isColored ? "#fff" : "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    for (const stroke of strokes) traceStroke(context, stroke, isColored ? stroke.color : "#fff");
    return context.getImageData(0, 0, SIDE, SIDE);
  };
}

/** @returns {{height: number, width: number, pixels: Uint8Array}} the red channel of a picture. */
export function takeChannel({height, width, data}) {
  const pixels = new Uint8Array(height * width);
  for (let i = 0; i < pixels.length; i++) pixels[i] = data[4 * i];
  return {height, width, pixels};
}
