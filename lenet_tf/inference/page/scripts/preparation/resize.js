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
  const image = {...plane, channels: 1};
  const whole = {top: 0, left: 0, bottom: plane.height, right: plane.width};
  return resizeInBox(image, height, width, filter, whole);
}

/**
 * Resize a part of an image of uint8.
 *
 * @param {import("#page/store.js").RawImage} image
 * @param {number} height
 * @param {number} width
 * @param {"box" | "bilinear" | "bicubic"} filter
 * @param {?import("#page/preparation/planes.js").Box} part with fractions of pixels, or the whole
 * @returns {import("#page/store.js").RawImage}
 */
export function resizeBytes(image, height, width, filter, part = null) {
  const {top, left, bottom, right} = part ?? {
    top: 0, left: 0, bottom: image.height, right: image.width,
  };
  const box = {
    top: Math.fround(top), left: Math.fround(left),
    bottom: Math.fround(bottom), right: Math.fround(right),
  };
  const isWhole = Number.isInteger(box.top) && Number.isInteger(box.left);
  return isWhole && box.right - box.left === width && box.bottom - box.top === height
    ? cropBytes(image, box.top, box.left, height, width)
    : resizeInBox(image, height, width, filter, box);
}

function resizeInBox(image, height, width, filter, box) {
  const resizeColumns = (from) => (
    from.width !== width || box.left || box.right !== width
      ? resampleColumns(from, width, filter, box) : from
  );
  const resizeRows = (from) => (
    from.height !== height || box.top || box.bottom !== height
      ? resampleRows(from, height, filter, box) : from
  );
  // What loses many rows is faster with fewer of them.
  const rows = image.height - height, columns = image.width - width;
  return rows > 0 && rows > 2 * columns
    ? resizeColumns(resizeRows(image)) : resizeRows(resizeColumns(image));
}

function resampleColumns({height, width: widthIn, channels, pixels}, width, filter, {left, right}) {
  const taps = computeTaps(widthIn, left, right, width, filter, isFixed(pixels));
  const resampled = new (storeIn(pixels))(height * width * channels);
  resample(pixels, resampled, taps, {
    outer: height, outerIn: widthIn * channels, outerOut: width * channels, inner: channels,
  });
  return {height, width, channels, pixels: resampled};
}

function resampleRows({height: heightIn, width, channels, pixels}, height, filter, {top, bottom}) {
  const taps = computeTaps(heightIn, top, bottom, height, filter, isFixed(pixels));
  const resampled = new (storeIn(pixels))(height * width * channels);
  resample(pixels, resampled, taps, {outer: 1, outerIn: 0, outerOut: 0, inner: width * channels});
  return {height, width, channels, pixels: resampled};
}

const isFixed = (pixels) => !(pixels instanceof Float32Array);

const storeIn = (pixels) => (isFixed(pixels) ? Uint8Array : Float32Array);

function cropBytes({width: rowWidth, channels, pixels}, top, left, height, width) {
  const cropped = new Uint8Array(height * width * channels);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * rowWidth + left) * channels;
    cropped.set(pixels.subarray(start, start + width * channels), row * width * channels);
  }
  return {height, width, channels, pixels: cropped};
}

/** Compute which inputs each output takes along an axis, from `start` to `end`. */
function computeTaps(sizeIn, start, end, sizeOut, filter, hasFixedPoint) {
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
  if (hasFixedPoint) {
    for (let at = 0; at < weights.length; at++) {
      weights[at] = Math.trunc((weights[at] < 0 ? -0.5 : 0.5) + weights[at] * 2 ** BITS);
    }
  }
  return {most, starts, counts, weights};
}

/**
 * Resample along an axis.
 *
 * `outer` lines begin `outerIn` values apart; pixels along the axis have `inner` values.
 */
function resample(pixels, resampled, taps, {outer, outerIn, outerOut, inner}) {
  const {most, starts, counts, weights} = taps, sums = new Float64Array(inner);
  for (let line = 0; line < outer; line++) {
    for (let out = 0; out < starts.length; out++) {
      const from = line * outerIn + starts[out] * inner, first = out * most;
      if (inner > 1) {
        sums.fill(0);
        for (let tap = 0; tap < counts[out]; tap++) {
          addWeighted(sums, pixels, from + tap * inner, weights[first + tap]);
        }
      } else {
        let total = 0;
        for (let tap = 0; tap < counts[out]; tap++) {
          total += pixels[from + tap] * weights[first + tap];
        }
        sums[0] = total;
      }
      store(sums, resampled, line * outerOut + out * inner);
    }
  }
}

function addWeighted(sums, pixels, from, weight) {
  for (let each = 0; each < sums.length; each++) sums[each] += pixels[from + each] * weight;
}

function store(sums, resampled, to) {
  const rounds = isFixed(resampled);
  for (let each = 0; each < sums.length; each++) {
    // Fixed-point sums, which are below 2 ** 31, are rounded.
    resampled[to + each] = rounds
      ? Math.min(255, Math.max(0, (sums[each] + 2 ** (BITS - 1)) >> BITS)) : sums[each];
  }
}
