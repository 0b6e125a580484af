/** Reads the data that the page holds: JSON, and arrays packed by packed_arrays.py. */

const TYPES = {float32: Float32Array, uint8: Uint8Array};

/** @returns {object} the page's data, of which arrays are still packed. */
export function readPageData(root = document) {
  return JSON.parse(root.getElementById("page-data").textContent);
}

/**
 * Unpack arrays.
 *
 * @param {{type: string, shapes: number[][], data: string}} packed
 * @returns {Promise<{shape: number[], values: Float32Array | Uint8Array}[]>}
 */
export async function unpackArrays(packed) {
  const Values = TYPES[packed.type];
  const planes = await inflate(decodeBase64(packed.data));
  const size = Values.BYTES_PER_ELEMENT, count = planes.length / size;
  const bytes = new Uint8Array(planes.length);
  for (let plane = 0; plane < size; plane++) {
    for (let i = 0; i < count; i++) bytes[i * size + plane] = planes[plane * count + i];
  }
  const values = new Values(bytes.buffer);
  let offset = 0;
  return packed.shapes.map((shape) => {
    const length = shape.reduce((product, side) => product * side, 1);
    offset += length;
    return {shape, values: values.subarray(offset - length, offset)};
  });
}

function decodeBase64(text) {
  const characters = atob(text);
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
