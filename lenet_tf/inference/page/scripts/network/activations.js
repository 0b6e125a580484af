/** Activations and their derivatives, as Keras computes them by default. */

const SELU_SCALE = 1.05070098, SELU_ALPHA = 1.67326324, LEAKY_SLOPE = 0.2;

const sigmoid = (x) => 0.5 * Math.tanh(0.5 * x) + 0.5;
const normalShare = (x) => 0.5 * (1 + erf(x * Math.SQRT1_2));
const tanhSlope = (x) => 1 - Math.tanh(x) ** 2;
const sigmoidSlope = (x) => sigmoid(x) * (1 - sigmoid(x));

/** @type {Object<string, function(number): number>} without softmax, which needs all values. */
export const ACTIVATIONS = {
  linear: (x) => x,
  tanh: Math.tanh,
  scaled_tanh: (x) => 1.7159 * Math.tanh(2 / 3 * x),
  sigmoid,
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => x > 0 ? x : LEAKY_SLOPE * x,
  elu: (x) => x > 0 ? x : Math.expm1(x),
  selu: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
  gelu: (x) => x * normalShare(x),
  silu: (x) => x * sigmoid(x),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

/** Derivatives of the activations, at 0 those of TensorFlow. */
const SLOPES = {
  linear: () => 1,
  tanh: tanhSlope,
  scaled_tanh: (x) => 1.7159 * 2 / 3 * tanhSlope(2 / 3 * x),
  sigmoid: sigmoidSlope,
  relu: (x) => x > 0 ? 1 : 0,
  leaky_relu: (x) => x > 0 ? 1 : LEAKY_SLOPE,
  elu: (x) => x > 0 ? 1 : Math.exp(x),
  selu: (x) => SELU_SCALE * (x >= 0 ? 1 : SELU_ALPHA * Math.exp(x)),
  gelu: (x) => normalShare(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI),
  silu: (x) => sigmoid(x) + x * sigmoidSlope(x),
  softplus: sigmoid,
};

/**
 * Pass a layer's sums through its activation.
 *
 * @param {string} name of the activation
 * @param {Float64Array} sums
 * @param {number} maps length of the last axis, over which softmax is taken
 * @returns {Float32Array} of the same length
 */
export function activate(name, sums, maps) {
  if (name === "linear") return Float32Array.from(sums);
  const outputs = new Float32Array(sums.length), activation = ACTIVATIONS[name];
  if (name === "softmax") {
    for (let from = 0; from < sums.length; from += maps) {
      outputs.set(computeShares(sums.subarray(from, from + maps)), from);
    }
  } else {
    for (let i = 0; i < sums.length; i++) outputs[i] = activation(sums[i]);
  }
  return outputs;
}

/**
 * Turn derivatives with respect to a layer's outputs into those with respect to its sums.
 *
 * @param {string} name of the activation
 * @param {Float64Array} sums
 * @param {number} maps length of the last axis
 * @param {Float64Array} gradients with respect to the outputs
 * @returns {Float64Array} of the same length
 */
export function differentiate(name, sums, maps, gradients) {
  if (name !== "softmax") return gradients.map((gradient, i) => gradient * SLOPES[name](sums[i]));
  const result = new Float64Array(sums.length);
  for (let from = 0; from < sums.length; from += maps) {
    const shares = computeShares(sums.subarray(from, from + maps));
    const mean = shares.reduce((sum, share, i) => sum + share * gradients[from + i], 0);
    result.set(shares.map((share, i) => share * (gradients[from + i] - mean)), from);
  }
  return result;
}

/**
 * @param {ArrayLike<number>} values
 * @returns {Float32Array} positive, with the sum 1
 */
export function softmax(values) {
  return Float32Array.from(computeShares(values));
}

/** @returns {Float64Array} the softmax of some values, in double precision. */
export function computeShares(values) {
  let largest = -Infinity, total = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  const powers = Float64Array.from(values, (value) => Math.exp(value - largest));
  for (let i = 0; i < powers.length; i++) total += powers[i];
  return powers.map((power) => power / total);
}

/**
 * The error function, by its series without cancellation (Abramowitz and Stegun 1964, 7.1.6).
 *
 * @returns {number} in [−1, 1], exact to 1e-15
 */
export function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  const factor = 2 * x * x;
  let term = x, sum = 0;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    sum += term;
    term *= factor / odd;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}
