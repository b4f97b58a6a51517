/**
 * What owns a vector and lends it to an engine, which may carry its memory to another thread: there is nothing in `values`
 * until the run has ended, well or not, and then another array with the same numbers.
 */
export interface Lender {
  values: Float32Array;
}
