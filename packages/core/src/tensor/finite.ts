/** The first of some numbers that is NaN or infinite. */
export const strangeNumber = (values: Float32Array): number | undefined =>
  areFinite(values) ? undefined : values.find((value) => !Number.isFinite(value));

/** 0 times a number is 0, times infinity or NaN it is NaN: a sum costs less than a question for each. */
function areFinite(values: Float32Array): boolean {
  let zero = 0;
  for (let at = 0; at < values.length; at++) zero += 0 * values[at]!;
  return zero === 0;
}
