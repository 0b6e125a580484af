/** Texts. */

export const trials = {
};
