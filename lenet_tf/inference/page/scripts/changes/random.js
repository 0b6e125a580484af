/** Random numbers that are the same for the same seed. */

/**
 * Return a generator of numbers: Mulberry32, a public-domain generator of 32 bits.
 *
 * @param {number} seed a whole number
 * @returns {function(): number} uniform in 0 ≤ x < 1
 */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/**
 * Draw standard normal numbers (Box and Muller 1958).
 *
 * @returns {Float32Array} of a length
 */
export function drawNormals(seed, length) {
  const random = createRandom(seed), normals = new Float32Array(length);
  for (let i = 0; i < length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random())), angle = 2 * Math.PI * random();
    normals[i] = radius * Math.cos(angle);
    if (i + 1 < length) normals[i + 1] = radius * Math.sin(angle);
  }
  return normals;
}

/** @returns {Int32Array} the numbers 0 … length − 1 in random order (Fisher and Yates). */
export function drawPermutation(seed, length) {
  const random = createRandom(seed), order = Int32Array.from({length}, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
