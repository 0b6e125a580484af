/** Links to the parts of the page: which of them is being read is marked. */

import {find} from "#page/views/elements.js";

/** How far below the top of the window a part is being read, as a share of the window's height. */
const LINE = 0.4;

/** Mark the link in `#parts` to the part that is read, and go to the part that was asked for. */
export function createPageParts() {
  const links = [...find("parts").querySelectorAll("a")];
  const parts = links.map((link) => find(link.hash.slice(1)));
  let frame = null;
  const mark = () => {
    frame = null;
    const current = findPart(parts.map((part) => part.getBoundingClientRect().top), innerHeight);
    links.forEach((link, index) => {
      if (index === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  const markSoon = () => { frame ??= requestAnimationFrame(mark); };
  addEventListener("scroll", markSoon, {passive: true});
  addEventListener("resize", markSoon);
  mark();
  // The browser went there before the parts had their height.
  parts.find(({id}) => `#${id}` === location.hash)?.scrollIntoView();
}

/**
 * @param {number[]} tops of the parts, relative to the top of the window
 * @param {number} height of the window
 * @returns {number} the last part that begins above the line
 */
export function findPart(tops, height) {
  return Math.max(0, tops.findLastIndex((top) => top <= LINE * height));
}
