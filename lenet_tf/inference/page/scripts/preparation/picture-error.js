/** Why a picture cannot become a digit image. */

/** A picture without the one digit that is wanted. */
export class PictureError extends Error {
  /** @param {"nothing" | "several" | "dot"} code what is drawn in it */
  constructor(code) {
    super(code);
    this.name = "PictureError";
    this.code = code;
  }
}
