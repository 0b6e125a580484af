/** … */

export function createSettings(store, content) {
}
