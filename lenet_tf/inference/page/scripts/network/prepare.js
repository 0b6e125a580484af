/** Turns a raw image into a network's input: lenet_tf/data/preprocessing.py. */

/** Side of the box that MNIST's digits were fitted into. */
const MNIST_DIGIT = 20;
/** What a raw value becomes, in the float32 steps of NumPy. */
const NORMALIZATIONS = {
  unit: (scaled) => scaled,
  unit_twice: (scaled) => Math.fround(scaled / 255),
  lecun1998(scaled) {
    const low = Math.fround(-0.1), range = Math.fround(Math.fround(1.175) - low);
    return Math.fround(Math.fround(scaled * range) + low);
  },
};

/**
 * @param {import("#page/store.js").RawImage} image
 * @param {object} preparation fields of specs/preparation.py
 * @returns {Float32Array} (height, width, channels) of the network's input
 */
export function prepareImage(image, preparation) {
  const size = preparation.digit_size;
  const {height, width, channels, pixels} = size ? reduceDigit(image, size) : image;
  const newHeight = preparation.pad_to ?? height, newWidth = preparation.pad_to ?? width;
  const newChannels = preparation.channels ?? channels;
  const top = Math.floor((newHeight - height) / 2), left = Math.floor((newWidth - width) / 2);
  const normalize = NORMALIZATIONS[preparation.normalization];
  const levels = Float32Array.from({length: 256}, (_, raw) => normalize(Math.fround(raw / 255)));
  const input = new Float32Array(newHeight * newWidth * newChannels).fill(levels[0]);
  for (let row = 0, from = 0; row < height; row++) {
    for (let column = 0; column < width; column++, from += channels) {
      const to = ((row + top) * newWidth + column + left) * newChannels;
      for (let channel = 0; channel < newChannels; channel++) {
        // A gray image gives all channels; an image in color has as many as the network.
        input[to + channel] = levels[pixels[from + channel % channels]];
      }
    }
  }
  return input;
}

/**
 * Scale an image by size / 20 around its middle: each pixel becomes the mean of what it covers.
 *
 * @param {import("#page/store.js").RawImage} image
 * @param {number} size new side of the box of MNIST's digits, at most 20
 * @returns {import("#page/store.js").RawImage} of the same shape
 */
export function reduceDigit({height, width, channels, pixels}, size) {
  const down = computeOverlaps(height, size), across = computeOverlaps(width, size);
  const reduced = new Uint8Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (const [y, tall] of down[row]) {
          for (const [x, wide] of across[column]) {
            sum += tall * wide * pixels[(y * width + x) * channels + channel];
          }
        }
        reduced[(row * width + column) * channels + channel] = Math.floor(
          sum / MNIST_DIGIT ** 2 + 0.5,
        );
      }
    }
  }
  return {height, width, channels, pixels: reduced};
}

/** Return the old pixels that each new one covers along an axis: [position, part in 1/size]. */
function computeOverlaps(side, size) {
  const middle = (side - 1) / 2;
  return Array.from({length: side}, (_, target) => {
    const center = (target - middle) * MNIST_DIGIT, covered = [];
    for (let source = 0; source < side; source++) {
      const old = (source - middle) * size;
      const right = Math.min(center + MNIST_DIGIT / 2, old + size / 2);
      const left = Math.max(center - MNIST_DIGIT / 2, old - size / 2);
      if (right > left) covered.push([source, right - left]);
    }
    return covered;
  });
}
