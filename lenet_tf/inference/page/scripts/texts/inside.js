/** Texts. */

export const inside = {
};
