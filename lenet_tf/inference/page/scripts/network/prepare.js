/** Turns a raw image into a network's input: lenet_tf/data/preprocessing.py. */

const RANGES = {unit: [0, 1], lecun1998: [-0.1, 1.175], unit_twice: [0, 1 / 255]};

/**
 * @param {import("#page/store.js").RawImage} image
 * @param {object} preparation fields of specs/preparation.py
 * @returns {Float32Array} (height, width, channels) of the network's input
 */
export function prepareImage(image, preparation) {
  const height = preparation.pad_to ?? image.height, width = preparation.pad_to ?? image.width;
  const channels = preparation.channels ?? image.channels;
  const top = Math.floor((height - image.height) / 2);
  const left = Math.floor((width - image.width) / 2);
  const [low, high] = RANGES[preparation.normalization].map(Math.fround);
  const input = new Float32Array(height * width * channels).fill(low);
  for (let row = 0; row < image.height; row++) {
    for (let column = 0; column < image.width; column++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = (row * image.width + column) * image.channels + channel % image.channels;
        const to = ((row + top) * width + column + left) * channels + channel;
        input[to] = Math.fround(image.pixels[from] / 255) * (high - low) + low;
      }
    }
  }
  return input;
}
