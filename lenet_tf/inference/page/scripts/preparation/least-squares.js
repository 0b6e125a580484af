/** Solves small symmetric systems, also singular ones. */

/**
 * Solve a symmetric system by least squares, with the shortest of several solutions.
 *
 * @param {Float64Array[]} matrix symmetric and positive semidefinite, which is overwritten
 * @param {Float64Array} values the right side
 * @param {number} tolerance eigenvalues below this share of the largest count as 0
 * @returns {Float64Array}
 */
export function solveSymmetric(matrix, values, tolerance) {
  const size = values.length;
  const axes = diagonalize(matrix);
  const largest = Math.max(...matrix.map((row, at) => Math.abs(row[at])));
  const solution = new Float64Array(size);
  for (let each = 0; each < size; each++) {
    const eigenvalue = matrix[each][each];
    if (Math.abs(eigenvalue) <= tolerance * largest) continue;
    let along = 0;
    for (let row = 0; row < size; row++) along += axes[row][each] * values[row];
    for (let row = 0; row < size; row++) {
      solution[row] += (axes[row][each] * along) / eigenvalue;
    }
  }
  return solution;
}

/** Rotate until the matrix is diagonal (Jacobi); returns the axes as columns. */
function diagonalize(matrix) {
  const size = matrix.length;
  const axes = matrix.map((_, at) => Float64Array.from(matrix, (_row, other) => +(at === other)));
  for (let sweep = 0; sweep < 30; sweep++) {
    let largest = 0;
    for (let first = 0; first < size; first++) {
      for (let second = first + 1; second < size; second++) {
        const scale = Math.sqrt(Math.abs(matrix[first][first] * matrix[second][second]));
        const share = Math.abs(matrix[first][second]) / Math.max(scale, 1e-300);
        if (Math.abs(matrix[first][second]) < 1e-300 || share < 1e-17) continue;
        largest = Math.max(largest, share);
        rotate(matrix, axes, first, second);
      }
    }
    if (largest < 1e-16) break;
  }
  return axes;
}

function rotate(matrix, axes, first, second) {
  const slope = (matrix[second][second] - matrix[first][first]) / (2 * matrix[first][second]);
  const tangent = (slope < 0 ? -1 : 1) / (Math.abs(slope) + Math.hypot(slope, 1));
  const cosine = 1 / Math.hypot(tangent, 1), sine = tangent * cosine;
  for (const row of [...matrix, ...axes]) {
    const a = row[first], b = row[second];
    row[first] = cosine * a - sine * b;
    row[second] = sine * a + cosine * b;
  }
  const above = matrix[first], below = matrix[second];
  for (let column = 0; column < above.length; column++) {
    const a = above[column], b = below[column];
    above[column] = cosine * a - sine * b;
    below[column] = sine * a + cosine * b;
  }
  above[second] = below[first] = 0;
}
