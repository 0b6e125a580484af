/** What each kind of row computes; a new kind is added here. */

import * as batchNormalization from "#page/network/layers/batch-normalization.js";
import * as convolution from "#page/network/layers/convolution.js";
import * as dense from "#page/network/layers/dense.js";
import * as pooling from "#page/network/layers/pooling.js";
import * as rbf from "#page/network/layers/rbf.js";
import * as subsampling from "#page/network/layers/subsampling.js";
import * as unchanged from "#page/network/layers/unchanged.js";

/**
 * The functions of one kind of row.
 *
 * @typedef {object} LayerFunctions
 * @property {function(Layer, Float32Array): Float64Array | Float32Array} computeSums from the
 *   inputs, what the activation takes
 * @property {function(Layer, Float32Array, Float64Array): Float64Array} backpropagate from the
 *   inputs and the derivatives with respect to the sums, the derivatives with respect to the inputs
 * @property {function(Layer, Float32Array, number): object} explain from the inputs and a unit, a
 *   part of an explanation, see network/explain.js
 */

/** @type {Object<string, LayerFunctions>} by the kind of the row */
export const LAYERS = {
  convolution,
  table_convolution: convolution,
  subsampling,
  pooling,
  global_average_pooling: pooling,
  batch_normalization: batchNormalization,
  dropout: unchanged,
  flatten: unchanged,
  dense,
  rbf,
};
