/** TEMPORARY stand-in for preparation/prepare-picture.js and network/rejection.js. */

export class PictureError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export function toGray({height, width, data}) {
  const pixels = new Uint8Array(height * width);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = (data[4 * i] * 299 + data[4 * i + 1] * 587 + data[4 * i + 2] * 114) / 1000;
  }
  return {height, width, pixels};
}

export function prepareDrawing({height, width, pixels}) {
  const flip = pixels[0] > 127;
  const at = (row, column) => flip ? 255 - pixels[row * width + column] : pixels[row * width + column];
  let top = height, bottom = 0, left = width, right = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (at(row, column) < 100) continue;
      top = Math.min(top, row); bottom = Math.max(bottom, row + 1);
      left = Math.min(left, column); right = Math.max(right, column + 1);
    }
  }
  if (bottom <= top) throw new PictureError("nothing");
  const scale = Math.max(bottom - top, right - left) / 20;
  if (scale < 1.5) throw new PictureError("dot");
  const image = new Uint8Array(28 * 28), box = [];
  let sum = 0, rows = 0, columns = 0;
  for (let row = 0; row < 20; row++) {
    for (let column = 0; column < 20; column++) {
      let ink = 0, count = 0;
      for (let y = Math.floor(top + row * scale); y < top + (row + 1) * scale; y++) {
        for (let x = Math.floor(left + column * scale); x < left + (column + 1) * scale; x++) {
          count++;
          if (y < bottom && x < right) ink += at(y, x);
        }
      }
      ink /= count || 1;
      box.push(ink); sum += ink; rows += row * ink; columns += column * ink;
    }
  }
  const down = Math.max(0, Math.min(8, Math.round(14 - rows / sum)));
  const across = Math.max(0, Math.min(8, Math.round(14 - columns / sum)));
  box.forEach((ink, i) => {
    image[(Math.floor(i / 20) + down) * 28 + i % 20 + across] = ink;
  });
  return {image: {height: 28, width: 28, channels: 1, pixels: image}};
}

export function fitPicture({height: rows, width: columns, data}, height, width, channels) {
  const pixels = new Uint8Array(height * width * channels);
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const y = Math.floor((row + 0.5) / height * rows), x = Math.floor((column + 0.5) / width * columns);
      for (let c = 0; c < channels; c++) pixels[i++] = data[(y * columns + x) * 4 + c];
    }
  }
  return {height, width, channels, pixels};
}

export const isDigit = () => true;
