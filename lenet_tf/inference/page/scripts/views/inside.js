/** … */

export function createInside(store, content) {
}
