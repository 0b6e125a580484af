/** Resizes pictures as Pillow does: in two passes, with filters that widen when they shrink. */

// Bits after the point of the coefficients for 8-bit pixels.
const BITS = 32 - 8 - 2;

const FILTERS = {
  box: {support: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)},
  bilinear: {support: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x))},
  bicubic: {support: 2, weigh: weighCubic},
};

function weighCubic(x) {
  const distance = Math.abs(x);
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * -0.5;
  return 0;
}

/**
 * Resize a plane of float32.
 *
 * @param {import("#page/preparation/planes.js").Plane} plane
 * @param {number} height
 * @param {number} width
 * @param {"box" | "bilinear" | "bicubic"} filter
 * @returns {import("#page/preparation/planes.js").Plane}
 */
export function resizeFloats(plane, height, width, filter) {
  // Pillow shrinks a tall picture in the other order.
  if (isTall(plane, height) && plane.width !== width) {
    return resizeFloats(resizeFloats(plane, height, plane.width, filter), height, width, filter);
  }
  let {pixels} = plane;
  if (width !== plane.width) {
    const taps = computeTaps(plane.width, 0, plane.width, width, filter);
    pixels = resample(pixels, new Float32Array(plane.height * width), taps, {
      outer: plane.height, outerIn: plane.width, outerOut: width, stepIn: 1, stepOut: 1, inner: 1,
    });
  }
  if (height !== plane.height) {
    const taps = computeTaps(plane.height, 0, plane.height, height, filter);
    pixels = resample(pixels, new Float32Array(height * width), taps, {
      outer: 1, outerIn: 0, outerOut: 0, stepIn: width, stepOut: width, inner: width,
    });
  }
  return {height, width, pixels: pixels === plane.pixels ? pixels.slice() : pixels};
}

/**
 * Resize a part of an image of uint8.
 *
 * @param {import("#page/store.js").RawImage} image
 * @param {number} height
 * @param {number} width
 * @param {"box" | "bilinear" | "bicubic"} filter
 * @param {import("#page/preparation/planes.js").Box} part with fractions of pixels
 * @returns {import("#page/store.js").RawImage}
 */
export function resizeBytes(image, height, width, filter, part = null) {
  const {channels} = image;
  const box = part ?? {top: 0, left: 0, bottom: image.height, right: image.width};
  const [top, left, bottom, right] = [box.top, box.left, box.bottom, box.right].map(Math.fround);
  if (Number.isInteger(top) && Number.isInteger(left) && right - left === width
      && bottom - top === height) {
    return cropBytes(image, top, left, height, width);
  }
  if (isTall(image, height) && image.width !== width) {
    const low = resizeBytes(image, height, image.width, filter,
      {...box, left: 0, right: image.width});
    return resizeBytes(low, height, width, filter, {...box, top: 0, bottom: height});
  }
  let {pixels} = image;
  if (image.width !== width || left || right !== width) {
    const taps = toFixedPoint(computeTaps(image.width, left, right, width, filter));
    pixels = resample(pixels, new Uint8Array(image.height * width * channels), taps, {
      outer: image.height, outerIn: image.width * channels, outerOut: width * channels,
      stepIn: channels, stepOut: channels, inner: channels,
    });
  }
  if (image.height !== height || top || bottom !== height) {
    const taps = toFixedPoint(computeTaps(image.height, top, bottom, height, filter));
    const row = width * channels;
    pixels = resample(pixels, new Uint8Array(height * row), taps, {
      outer: 1, outerIn: 0, outerOut: 0, stepIn: row, stepOut: row, inner: row,
    });
  }
  return {height, width, channels, pixels};
}

const isTall = (image, height) => image.height > image.width * 100 && height < image.height;

function cropBytes({width: rowWidth, channels, pixels}, top, left, height, width) {
  const cropped = new Uint8Array(height * width * channels);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * rowWidth + left) * channels;
    cropped.set(pixels.subarray(start, start + width * channels), row * width * channels);
  }
  return {height, width, channels, pixels: cropped};
}

/** Compute which inputs each output takes along an axis, from `start` to `end`. */
function computeTaps(sizeIn, start, end, sizeOut, filter) {
  const {support, weigh} = FILTERS[filter];
  const scale = Math.fround(end - start) / sizeOut, widening = Math.max(scale, 1);
  const reach = support * widening, inverse = 1 / widening, most = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(sizeOut), counts = new Int32Array(sizeOut);
  const weights = new Float64Array(sizeOut * most);
  for (let out = 0; out < sizeOut; out++) {
    const center = start + (out + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - reach + 0.5));
    const count = Math.min(sizeIn, Math.trunc(center + reach + 0.5)) - first;
    let total = 0;
    for (let tap = 0; tap < count; tap++) {
      const weight = weigh((tap + first - center + 0.5) * inverse);
      weights[out * most + tap] = weight;
      total += weight;
    }
    if (total !== 0) for (let tap = 0; tap < count; tap++) weights[out * most + tap] /= total;
    starts[out] = first;
    counts[out] = count;
  }
  return {most, starts, counts, weights};
}

function toFixedPoint(taps) {
  const weights = taps.weights.map(
    (weight) => Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * 2 ** BITS),
  );
  return {...taps, weights};
}

/**
 * Resample along an axis.
 *
 * `outer` lines begin `outerIn` values apart, their pixels `stepIn`, and each has `inner` values.
 */
function resample(pixels, resampled, {most, starts, counts, weights}, layout) {
  const {outer, outerIn, outerOut, stepIn, stepOut, inner} = layout;
  const isFixed = resampled instanceof Uint8Array;
  const sums = new Float64Array(inner);
  for (let line = 0; line < outer; line++) {
    for (let out = 0; out < starts.length; out++) {
      sums.fill(isFixed ? 2 ** (BITS - 1) : 0);
      for (let tap = 0; tap < counts[out]; tap++) {
        const weight = weights[out * most + tap];
        const from = line * outerIn + (starts[out] + tap) * stepIn;
        for (let each = 0; each < inner; each++) sums[each] += pixels[from + each] * weight;
      }
      const to = line * outerOut + out * stepOut;
      for (let each = 0; each < inner; each++) {
        resampled[to + each] = isFixed
          ? Math.min(255, Math.max(0, sums[each] >> BITS)) : sums[each];
      }
    }
  }
  return resampled;
}
