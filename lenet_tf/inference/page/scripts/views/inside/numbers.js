/** Numbers as the sums show them: all of one sum with the same number of decimals. */

/**
 * @param {Iterable<number>} values
 * @param {number} digits significant digits of the largest value
 * @returns {number} how many decimals show it with so many digits, 0…9
 */
export function countDecimals(values, digits = 4) {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (!Number.isFinite(largest) || largest === 0) return digits - 1;
  return Math.min(Math.max(digits - 1 - Math.floor(Math.log10(largest)), 0), 9);
}

/** @returns {number} decimals for a sum: three at least, unless its numbers are large. */
export function countSumDecimals(values) {
  const largest = Math.max(...values.map(Math.abs));
  return Math.max(countDecimals(values), largest < 1000 ? 3 : 0);
}

/**
 * @param {Iterable<number>} values of a sum
 * @param {number} result of the sum, which loses digits where its terms cancel
 * @returns {number} decimals that leave the result four digits, 6 at most for that
 */
export function countChainDecimals(values, result) {
  return Math.max(countSumDecimals([...values, result]), Math.min(countDecimals([result]), 6));
}

/** @returns {number} decimals of a factor of `other`, so that the product has `decimals`. */
export function countFactorDecimals(decimals, other) {
  return Math.min(decimals + Math.max(Math.ceil(Math.log10(Math.abs(other) || 1)), 0), 9);
}

/** @returns {number} decimals for the cells of a grid, which are narrow. */
export function countCellDecimals(values) {
  return Math.max(Math.min(countDecimals(values), 3), countDecimals(values, 2));
}

/** Format a number with some decimals and a real minus sign; no "−0.000". */
export function formatFixed(value, decimals) {
  const shown = value.toFixed(decimals);
  return Number(shown) === 0 ? shown.replace("-", "") : shown.replace("-", "−");
}

/** Format a number by itself with four digits, such as "0.1650" or "2.760e−9". */
export function formatValue(value) {
  return value !== 0 && Math.abs(value) < 1e-4
    ? value.toExponential(3).replaceAll("-", "−")
    : formatFixed(value, countDecimals([value]));
}

/** Format a number as a factor: a negative one in parentheses. */
export function formatFactor(value, decimals) {
  const shown = formatFixed(value, decimals);
  return shown.startsWith("−") ? `(${shown})` : shown;
}

/**
 * Format a sum such as "0.12 − 0.50 + 0.03".
 *
 * @param {number[]} values
 * @param {number} decimals
 */
export function formatSum(values, decimals) {
  return values.map((value, i) => {
    const shown = formatFixed(value, decimals);
    if (i === 0) return shown;
    return shown.startsWith("−") ? ` − ${shown.slice(1)}` : ` + ${shown}`;
  }).join("");
}

/**
 * Split parts into the largest and the rest.
 *
 * @template {{amount: number}} Part
 * @param {Part[]} parts
 * @param {number} count of the largest by absolute amount
 * @returns {{largest: Part[], others: Part[], rest: number}} the largest, largest first, the
 *   others, and what these amount to
 */
export function splitLargest(parts, count) {
  const sorted = [...parts].sort((a, b) => Math.abs(b.amount) - Math.abs(a.amount));
  const others = sorted.slice(count);
  return {
    largest: sorted.slice(0, count),
    others,
    rest: others.reduce((sum, {amount}) => sum + amount, 0),
  };
}
