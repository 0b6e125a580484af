/** Turns a drawing or a picture of one digit into a digit image like those of MNIST. */

import {extractStrokes} from "#page/preparation/digit-strokes.js";
import {toDigitImage} from "#page/preparation/digit-image.js";
import {isPrepared} from "#page/preparation/prepared-digit.js";
import {checkSingleDigit} from "#page/preparation/strokes.js";

export {fitPicture} from "#page/preparation/fit-picture.js";
export {toGray} from "#page/preparation/gray.js";
export {PictureError} from "#page/preparation/picture-error.js";

/**
 * Turn a gray picture of one digit into a digit image, pixel for pixel as `lenet_tf.as_digit`.
 *
 * @param {{height: number, width: number, pixels: Uint8Array}} gray of any size, dark on light or
 *   light on dark
 * @returns {{image: import("#page/store.js").RawImage}} 28 × 28, 0 background … 255 ink
 * @throws {import("#page/preparation/picture-error.js").PictureError} nothing, several digits or no
 *   more than a dot is drawn
 */
export function prepareDrawing(gray) {
  if (isPrepared(gray)) return {image: {...gray, channels: 1}};
  const ink = extractStrokes(gray);
  checkSingleDigit(ink);
  return {image: toDigitImage(ink)};
}
