/** Reads pictures that are chosen, dropped or pasted. */

/** Larger pictures are scaled down to this side: a digit in it is still large enough. */
const MAX_SIDE = 2048;
const OPTIONS = {
  imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none",
};

/**
 * Decode a picture, upright as its EXIF data say.
 *
 * @param {Blob} file
 * @returns {Promise<ImageData>} RGBA
 * @throws if the browser can't read it
 */
export async function decodePicture(file) {
  const bitmap = await createBitmap(file);
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function createBitmap(file) {
  try {
    return await createImageBitmap(file, OPTIONS);
  } catch (error) {
    // Browsers that don't know these options do by themselves what they ask for.
    if (error instanceof TypeError) return createImageBitmap(file);
    throw error;
  }
}

/** @returns {HTMLCanvasElement} a canvas that shows a picture. */
export function toCanvas(picture) {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

/**
 * Listen to files that are dropped anywhere on the page, or pasted.
 *
 * @param {function(File): void} read
 */
export function listenToFiles(read) {
  const root = document.documentElement;
  const holdsFiles = ({dataTransfer}) => dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    root.toggleAttribute("data-dropping", true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) root.toggleAttribute("data-dropping", false);
  });
  document.addEventListener("drop", (event) => {
    root.toggleAttribute("data-dropping", false);
    if (!holdsFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files.length) read(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (!file) return;
    event.preventDefault();
    read(file);
  });
}
