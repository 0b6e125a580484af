/** … */

export function createNetworkChoice(store, content) {
}
