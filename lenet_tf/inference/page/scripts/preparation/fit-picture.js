/** Crops and resizes a picture to the shape of a network's images. */

import {computeLightness, mix} from "#page/preparation/gray.js";
import {resizeBytes} from "#page/preparation/resize.js";

/**
 * Crop a picture to its middle and resize it, as `lenet_tf` does for networks of pictures.
 *
 * What exceeds the wanted shape is cut off evenly on both sides; what is transparent becomes white.
 *
 * @param {{height: number, width: number, data: Uint8ClampedArray}} picture red, green, blue and
 *   opacity, as ImageData
 * @param {number} height
 * @param {number} width
 * @param {number} channels 1 for gray levels, else 3
 * @returns {import("#page/store.js").RawImage}
 */
export function fitPicture(picture, height, width, channels) {
  const opaque = flatten(picture);
  const isFitting = opaque.height === height && opaque.width === width;
  const image = isFitting
    ? opaque : resizeBytes(opaque, height, width, "bicubic", chooseBox(opaque, height, width));
  return channels === 1 ? {height, width, channels, pixels: computeLightness(image)} : image;
}

function flatten({height, width, data}) {
  const pixels = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[at * 3 + channel] = mix(255, data[at * 4 + channel], data[at * 4 + 3]);
    }
  }
  return {height, width, channels: 3, pixels};
}

/** Choose the middle of a picture with the aspect ratio of an image, as ImageOps.fit. */
function chooseBox(picture, height, width) {
  const ratio = picture.width / picture.height, wanted = width / height;
  let rows = picture.height, columns = picture.width;
  if (ratio > wanted) columns = wanted * picture.height;
  else if (ratio < wanted) rows = picture.width / wanted;
  const top = (picture.height - rows) * 0.5, left = (picture.width - columns) * 0.5;
  return {top, left, bottom: top + rows, right: left + columns};
}
