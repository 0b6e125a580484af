/** … */

export function createLessons(store, content) {
}
