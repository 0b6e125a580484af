/** Shifts, turns and scales images in one resampling. */

/**
 * Turn and scale an image around its center, then shift it. Each pixel of the result is
 * interpolated between the four pixels around the place that it comes from; outside of the image
 * all is background.
 *
 * @param {import("#page/store.js").RawImage} image
 * @param {{down: number, right: number, degrees: number, scale: number}} change degrees clockwise
 * @returns {import("#page/store.js").RawImage}
 */
export function transformImage(image, {down, right, degrees, scale}) {
  const {height, width, channels, pixels} = image;
  const angle = degrees * Math.PI / 180;
  const cosine = Math.cos(angle) / scale, sine = Math.sin(angle) / scale;
  const middleRow = (height - 1) / 2, middleColumn = (width - 1) / 2;
  const changed = new Uint8Array(pixels.length);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += channels) {
      const y = row - middleRow - down, x = column - middleColumn - right;
      const fromRow = middleRow + cosine * y - sine * x;
      const fromColumn = middleColumn + sine * y + cosine * x;
      if (fromRow <= -1 || fromRow >= height || fromColumn <= -1 || fromColumn >= width) continue;
      for (let channel = 0; channel < channels; channel++) {
        changed[at + channel] = Math.round(interpolate(image, fromRow, fromColumn, channel));
      }
    }
  }
  return {...image, pixels: changed};
}

function interpolate({height, width, channels, pixels}, row, column, channel) {
  const top = Math.floor(row), left = Math.floor(column);
  const lower = row - top, later = column - left;
  const read = (y, x) => y < 0 || y >= height || x < 0 || x >= width
    ? 0
    : pixels[(y * width + x) * channels + channel];
  const upper = read(top, left) * (1 - later) + read(top, left + 1) * later;
  const under = read(top + 1, left) * (1 - later) + read(top + 1, left + 1) * later;
  return upper * (1 - lower) + under * lower;
}
