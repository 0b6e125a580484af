/** Texts. */

export const lessons = {
};
