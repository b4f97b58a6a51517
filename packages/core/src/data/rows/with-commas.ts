/**
 * A whole number from 0 on with commas between its thousands. `toLocaleString("en-US")` writes the same, but the first time it
 * reads what the system knows of languages, for as long as a thousand rows take to become tokens.
 */
export const withCommas = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
