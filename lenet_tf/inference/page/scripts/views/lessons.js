/** "Learn": short lessons with small figures that can be changed. */

import {element, find} from "#page/views/elements.js";
import {createConvolutionLesson} from "#page/views/lessons/convolution.js";
import {createKernelHistory} from "#page/views/lessons/kernel-history.js";
import {createPoolingLesson} from "#page/views/lessons/pooling.js";
import {createReasons} from "#page/views/lessons/reasons.js";
import {create} from "#page/views/trials/parts.js";

/**
 * @param {object} store see store.js
 * @param {object} content see main.js
 */
export function createLessons(store, {kernelHistory}) {
  const lessons = [
    ["convolution", createConvolutionLesson(store)],
    ["pooling", createPoolingLesson(store)],
    ["history", kernelHistory && Object.keys(kernelHistory).length
      && createKernelHistory(store, kernelHistory)],
    ["reasons", createReasons(store)],
  ];
  find("lessons").append(...lessons.filter(([, root]) => root).map(([name, root]) =>
    element("section", {class: "lesson", id: `lesson-${name}`,
      "aria-labelledby": `lesson-${name}-heading`},
    create("h3", `lesson ${name}`, {id: `lesson-${name}-heading`}),
    create("p", `lesson ${name} caption`), root,
    create("p", `lesson ${name} source`, {class: "quiet small"}))));
}
