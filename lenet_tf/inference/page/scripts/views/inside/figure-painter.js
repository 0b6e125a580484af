/** Paints the values of all layers. */

import {formatNumber} from "#page/views/elements.js";
import {createDivergingScale, createInkScale, paintColors, paintValues}
  from "#page/views/inside/painter.js";
import {findLimit, isDark} from "#page/views/pixels.js";

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {Map<number, object>} drawn layers of the figure
 * @param {{low: number, high: number}} range of the network's input
 */
export function createFigurePainter(network, drawn, range) {
  const painted = new Map();
  let last = {outputs: null, isEmpty: null, dark: null};
  const paintOne = (painter, index, map) => {
    const {values, scale} = painted.get(index), {layout} = drawn.get(index);
    if (layout.channels > 1) paintColors(painter, values, range.low, range.high);
    else paintValues(painter, values, scale, {first: map, step: layout.maps});
  };
  return {
    /** Paint the layers whose values changed. While nothing is drawn, all maps are calm. */
    paint(outputs, isEmpty) {
      const dark = isDark(), all = isEmpty !== last.isEmpty || dark !== last.dark;
      for (const [index, {layout, maps, limit}] of drawn) {
        if (!all && outputs[index] === last.outputs[index]) continue;
        const values = isEmpty && index > 0 ? new Float32Array(layout.count) : outputs[index];
        const end = findLimit(outputs[index]);
        painted.set(index, {
          values,
          scale: index > 0 ? createDivergingScale(end) : createInkScale(range.low, range.high),
        });
        maps.forEach(({painter}, map) => paintOne(painter, index, map));
        const shown = index > 0 && !isEmpty ? `±${formatNumber(end)}` : "";
        if (limit.textContent !== shown) limit.textContent = shown;
      }
      last = {outputs, isEmpty, dark};
    },
    /** Mark the answer beside the outputs: of distances' negatives, the palest is the largest. */
    markAnswer(answer) {
      const names = drawn.get(network.layers.length - 1).names?.children ?? [];
      [...names].forEach((name, i) => name.classList.toggle("is-answer", i === answer));
    },
    paintMap: paintOne,
    getScale: (index) => painted.get(index).scale,
  };
}
