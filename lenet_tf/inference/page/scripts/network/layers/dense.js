/** Fully connected layers. */

export function computeSums(layer, inputs) {
  const units = layer.outputShape[0], [kernel, bias] = layer.weights.map(({values}) => values);
  const sums = Float64Array.from(bias);
  for (let i = 0, weight = 0; i < inputs.length; i++, weight += units) {
    const value = inputs[i];
    if (value === 0) continue;
    for (let unit = 0; unit < units; unit++) sums[unit] += value * kernel[weight + unit];
  }
  return sums;
}

export function backpropagate(layer, inputs, gradients) {
  const kernel = layer.weights[0].values, units = gradients.length;
  return Float64Array.from(inputs, (_, i) => {
    let sum = 0;
    for (let unit = 0; unit < units; unit++) sum += gradients[unit] * kernel[i * units + unit];
    return sum;
  });
}

export function explain(layer, inputs, unit) {
  const units = layer.outputShape[0], [kernel, bias] = layer.weights.map(({values}) => values);
  const terms = Array.from(inputs, (value, i) => {
    const weight = kernel[i * units + unit];
    return {input: i, row: 0, column: 0, map: i, value, weight, product: value * weight};
  });
  return {terms, bias: bias[unit]};
}
