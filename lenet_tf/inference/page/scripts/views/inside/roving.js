/** Groups of buttons of which the tab key reaches one, and the arrow keys the others. */

/**
 * Move the focus in a group of buttons.
 *
 * @param {HTMLElement[]} buttons in rows of `columns`
 * @param {KeyboardEvent} event
 * @param {number} columns
 * @returns {?number} the button that has the focus now, or null if the key moves nothing
 */
export function moveRoving(buttons, event, columns) {
  const now = buttons.indexOf(document.activeElement);
  const next = {
    ArrowRight: now + 1, ArrowLeft: now - 1, ArrowDown: now + columns, ArrowUp: now - columns,
    Home: 0, End: buttons.length - 1,
  }[event.key];
  if (now < 0 || next === undefined || !buttons[next]) return null;
  event.preventDefault();
  setRoving(buttons, next);
  buttons[next].focus();
  return next;
}

/** Let the tab key reach one button of a group. */
export function setRoving(buttons, chosen) {
  buttons.forEach((button, i) => {
    button.tabIndex = i === chosen ? 0 : -1;
  });
}

/** @returns {?number[]} [rows, columns] that an arrow key moves by, or null. */
export function toStep(key) {
  return {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  }[key] ?? null;
}
