/** Texts. */

export const drawing = {
};
