/** Changes that break a network. */

/**
 * @param {import("#page/network/network.js").Network} network
 * @param {import("#page/changes/changes.js").Changes} changes
 * @returns {import("#page/network/network.js").Network} with rounded weights
 */
export function applyWeightChanges(network, changes) {
  return network;
}
