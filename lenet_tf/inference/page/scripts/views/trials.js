/** … */

export function createTrials(store, content) {
}
