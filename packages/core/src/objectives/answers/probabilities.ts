/** exp(x - max) / Σ exp(x - max), in double precision */
export function softmax(logits: Float32Array): readonly number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** 1 / (1 + exp(-x)), in double precision */
export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** The index, from 0, of the largest number; the first of several. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}
