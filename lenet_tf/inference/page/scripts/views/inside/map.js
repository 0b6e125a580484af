/** One map of the figure: a button with a canvas and room for outlines. */

import {element} from "#page/views/elements.js";
import {findUnit} from "#page/views/inside/layout.js";
import {createPainter} from "#page/views/inside/painter.js";

/**
 * @param {import("#page/views/inside/layout.js").Layout} layout
 * @param {string} name
 * @param {boolean} isFirst whether the tab key reaches it at first
 */
export function createMap(layout, name, isFirst) {
  const painter = createPainter(layout.height, layout.width);
  const picture = createPicture(layout, painter);
  const button = element("button", {
    type: "button", class: "map-button", "aria-label": name, "aria-pressed": "false",
    tabindex: isFirst ? 0 : -1,
  }, picture);
  return {button, picture, painter};
}

/** Create an element as large as its units, in which marks can be placed. */
export function createPicture({height, width}, painter) {
  const picture = element("span", {class: "picture"}, painter.canvas);
  picture.style.setProperty("--height", height);
  picture.style.setProperty("--width", width);
  return picture;
}

/** @returns {number} which map an event happened on, or −1. */
export function findMapOfEvent(event, maps) {
  const button = event.target.closest(".map-button");
  return button ? maps.findIndex((map) => map.button === button) : -1;
}

/** @returns {number} the unit under the pointer. */
export function findUnitOfEvent(event, layout, {picture}, map) {
  const area = picture.getBoundingClientRect();
  return findUnit(
    layout,
    map,
    Math.floor((event.clientY - area.top) / area.height * layout.height),
    Math.floor((event.clientX - area.left) / area.width * layout.width),
  );
}

/**
 * Place a mark over some units of a picture.
 *
 * @param {HTMLElement} mark
 * @param {{height: number, width: number}} layout
 * @param {{top: number, left: number, bottom: number, right: number}} window bottom and right are
 *   exclusive
 */
export function placeMark(mark, {height, width}, {top, left, bottom, right}) {
  const {style} = mark;
  style.top = `${100 * top / height}%`;
  style.left = `${100 * left / width}%`;
  style.height = `${100 * (bottom - top) / height}%`;
  style.width = `${100 * (right - left) / width}%`;
}
