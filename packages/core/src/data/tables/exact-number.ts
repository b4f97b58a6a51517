/** Digits of which a number of JavaScript may lose some. */
const many = /^-?\d{16,}$/;

/**
 * A number as a file writes it; a whole one that JavaScript would write with other digits stays a text, as nearly all
 * beyond 2⁵³ do.
 */
export function exactNumber(written: string): number | string {
  const number = Number(written);
  return many.test(written) && String(number) !== written ? written : number;
}
