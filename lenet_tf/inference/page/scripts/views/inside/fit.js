/** Chooses how many pixels a unit of a map takes. */

const NARROW = 600;

/** Show the figure in one row if it fits; else it wraps, or goes down on a phone. */
export function fitFigure(figure) {
  const {paddingLeft, paddingRight} = getComputedStyle(figure.parentNode);
  const room = figure.parentNode.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  if (!room) return;
  figure.classList.remove("wrap", "narrow");
  for (const scale of [4, 3]) {
    setScale(figure, scale);
    if (figure.scrollWidth <= Math.ceil(room)) return;
  }
  figure.classList.add("wrap");
  figure.classList.toggle("narrow", room < NARROW);
  setScale(figure, 4);
}

/** Units that have no place in the image are drawn larger. */
function setScale(figure, scale) {
  figure.style.setProperty("--scale", scale);
  figure.style.setProperty("--cell", scale + 5);
}
