/** Layers that pass on what they get: flatten, and dropout after training. */

export function computeSums(layer, inputs) {
  return inputs;
}

export function backpropagate(layer, inputs, gradients) {
  return gradients;
}

export function explain(layer, inputs, unit) {
  const value = inputs[unit], map = unit % layer.inputShape.at(-1);
  return {terms: [{input: unit, row: 0, column: 0, map, value, weight: 1, product: value}]};
}
