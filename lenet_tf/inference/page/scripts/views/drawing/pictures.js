/** Turns drawings and pictures into images of the shape that the networks take. */

import {
  fitPicture, PictureError, prepareDrawing, toGray,
} from "#page/preparation/prepare-picture.js";
import {createEmptyImage} from "#page/store.js";
import {createRasterizer, takeChannel} from "#page/views/drawing/raster.js";

/**
 * Create the functions that turn what is drawn or chosen into the store's image.
 *
 * @param {object} store
 * @param {string} pictureInput "digit" or "picture"
 */
export function createPictureReader(store, pictureInput) {
  const [height, width, channels = 1] = store.networks[0].imageShape;
  const isColored = channels === 3 && pictureInput !== "digit";
  const rasterize = createRasterizer(isColored);
  const empty = createEmptyImage(height, width, channels);
  const prepare = (picture, toPixels) => pictureInput === "digit"
    ? prepareDrawing(toPixels(picture)).image
    : fitPicture(picture, height, width, channels);

  return {
    isColored,

    /**
     * Show a drawing.
     *
     * @param {import("#page/views/drawing/strokes.js").Stroke[]} strokes
     * @param {boolean} isFinished no stroke is being drawn; until then refusals aren't shown
     */
    readStrokes(strokes, isFinished) {
      if (!strokes.length) {
        store.set({image: empty, origin: describeOrigin("empty")});
        return;
      }
      const picture = rasterize(strokes);
      show("drawn", isFinished, () => prepare(picture, takeChannel), picture);
    },

    /** Show a picture, an ImageData. */
    readPicture(picture) {
      show("file", true, () => prepare(picture, toGray), picture);
    },

    /** Say why a file can't be shown. */
    refuse(error) {
      store.set({image: empty, origin: describeOrigin("file", {error})});
    },
  };

  function show(kind, isFinished, run, picture) {
    try {
      store.set({image: run(), origin: describeOrigin(kind, {picture, isFinished})});
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      if (!isFinished) return;
      store.set({image: empty, origin: describeOrigin(kind, {picture, error: error.code})});
    }
  }
}

/** @returns {object} the state's origin of an image. */
export function describeOrigin(kind, facts = {}) {
  return {
    kind, label: null, number: null, error: null, picture: null, isFinished: true, ...facts,
  };
}
