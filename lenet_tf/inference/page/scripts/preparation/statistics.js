/** Sums, medians and percentiles that round as those of NumPy do. */

const BLOCK = 128;

/** @returns {number} the integer nearest to a value, the even one of two, as Python rounds. */
export function roundHalfEven(value) {
  const below = Math.floor(value), rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/**
 * Sum values in the order of NumPy, in float32 if the values are.
 *
 * @param {Float32Array | Float64Array} values
 */
export function sum(values) {
  // What is stored in an array of the same type is rounded.
  return sumPart(values, 0, values.length, new values.constructor(8));
}

function sumPart(values, start, count, sums) {
  if (count <= BLOCK) return sumBlock(values, start, count, sums);
  const half = Math.floor(count / 2), first = half - (half % 8);
  const before = sumPart(values, start, first, sums);
  const after = sumPart(values, start + first, count - first, sums);
  sums[0] = before + after;
  return sums[0];
}

function sumBlock(values, start, count, sums) {
  const whole = count - (count % 8);
  sums.fill(0);
  for (let at = 0; at < whole; at += 8) {
    for (let each = 0; each < 8; each++) sums[each] += values[start + at + each];
  }
  for (let step = 1; step < 8; step *= 2) {
    for (let each = 0; each < 8; each += 2 * step) sums[each] += sums[each + step];
  }
  for (let at = whole; at < count; at++) sums[0] += values[start + at];
  return sums[0];
}

/**
 * Move the value of a rank to its place in a sorted array: smaller ones lie before it.
 *
 * @param {Float32Array | Float64Array} values which are reordered
 * @param {number} rank from 0
 * @returns {number} the value
 */
export function selectRank(values, rank) {
  let low = 0, high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let left = low, right = high;
    while (left <= right) {
      while (values[left] < pivot) left++;
      while (values[right] > pivot) right--;
      if (left <= right) {
        const value = values[left];
        values[left++] = values[right];
        values[right--] = value;
      }
    }
    if (rank <= right) high = right;
    else if (rank >= left) low = left;
    else break;
  }
  return values[rank];
}

/** @returns {number} the median of values of float32 or float64, in their precision. */
export function computeMedian(values) {
  const copy = values.slice(), middle = values.length >> 1;
  const upper = selectRank(copy, middle);
  if (values.length % 2) return upper;
  let lower = -Infinity;
  for (let at = 0; at < middle; at++) if (copy[at] > lower) lower = copy[at];
  const total = lower + upper;
  return values instanceof Float32Array ? Math.fround(total) / 2 : total / 2;
}

/**
 * Compute a percentile, as NumPy does with one percentage.
 *
 * @param {Float32Array | Float64Array} values
 * @param {number} percentage 0…100
 * @param {boolean} isDouble interpolate in double precision, as with several percentages
 */
export function computePercentile(values, percentage, isDouble = false) {
  const isSingle = values instanceof Float32Array;
  const round = isSingle && !isDouble ? Math.fround : (value) => value;
  const copy = values.slice(), last = values.length - 1;
  const position = last * (percentage / 100);
  if (position >= last) return selectRank(copy, last);
  const before = Math.floor(position), share = position - before;
  const next = selectRank(copy, before + 1);
  let previous = -Infinity;
  for (let at = 0; at <= before; at++) if (copy[at] > previous) previous = copy[at];
  const difference = isSingle ? Math.fround(next - previous) : next - previous;
  return share >= 0.5
    ? round(next - round(difference * round(1 - share)))
    : round(previous + round(difference * round(share)));
}

/** @returns {number} an estimate of the standard deviation, whatever the outliers. */
export function estimateDeviation(values) {
  const median = computeMedian(values), distances = values.slice();
  for (let at = 0; at < values.length; at++) distances[at] = values[at] - median;
  for (let at = 0; at < values.length; at++) distances[at] = Math.abs(distances[at]);
  return 1.48 * computeMedian(distances);
}
