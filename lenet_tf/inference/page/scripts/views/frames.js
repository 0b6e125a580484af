/** Work that waits for the next frame, or is done at once before the page is printed. */

const waiting = new Set();
let isPrinting = false;

/**
 * Run a function in the next frame. Before the page is printed there is none: it is run at once.
 *
 * @param {function(): void} run
 * @returns {?number} what cancelAnimationFrame takes; null if it was run
 */
export function requestFrame(run) {
  if (!isPrinting) return requestAnimationFrame(run);
  run();
  return null;
}

/** Call a function before the page is printed: it finishes what waits until it can be seen. */
export function runBeforePrint(run) {
  waiting.add(run);
}

/**
 * Have the page printed in light colors, and with all that waits until it can be seen.
 *
 * @param {function(?string): void} showTheme shows a theme of the page; null the chosen one
 */
export function listenToPrinting(showTheme) {
  addEventListener("beforeprint", () => {
    isPrinting = true;
    showTheme("light");
    for (const run of waiting) run();
  });
  addEventListener("afterprint", () => {
    isPrinting = false;
    showTheme(null);
  });
}
