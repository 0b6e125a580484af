/** Activations, as Keras computes them by default: lenet_tf/pretrained/activations.py. */

const sigmoid = (x) => 0.5 * Math.tanh(0.5 * x) + 0.5;

/** @type {Object<string, function(number): number>} without softmax, which needs all values. */
export const ACTIVATIONS = {
  linear: (x) => x,
  tanh: Math.tanh,
  scaled_tanh: (x) => 1.7159 * Math.tanh(2 / 3 * x),
  sigmoid,
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => x > 0 ? x : 0.2 * x,
  elu: (x) => x > 0 ? x : Math.expm1(x),
  selu: (x) => 1.05070098 * (x > 0 ? x : 1.67326324 * Math.expm1(x)),
  silu: (x) => x * sigmoid(x),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};
