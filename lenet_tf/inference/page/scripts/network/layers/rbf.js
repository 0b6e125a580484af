/** The radial basis functions of 1998: minus the squared distances from the digits' codes. */

export function computeSums(layer, inputs) {
  return Float64Array.from(layer.row.codes, (code) => {
    let distance = 0;
    for (let i = 0; i < code.length; i++) distance += (inputs[i] - code[i]) ** 2;
    return -distance;
  });
}

export function backpropagate(layer, inputs, gradients) {
  const {codes} = layer.row;
  return Float64Array.from(inputs, (value, i) => {
    let sum = 0;
    for (let unit = 0; unit < codes.length; unit++) {
      sum += gradients[unit] * 2 * (codes[unit][i] - value);
    }
    return sum;
  });
}

/** The products are the squared differences, whose sum is the paper's penalty y of eq. 7. */
export function explain(layer, inputs, unit) {
  const terms = layer.row.codes[unit].map((weight, i) => ({
    input: i, row: 0, column: 0, map: i, value: inputs[i], weight,
    product: (inputs[i] - weight) ** 2,
  }));
  return {terms};
}
