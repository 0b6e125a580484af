/** … */

export function createDrawing(store, content) {
}
