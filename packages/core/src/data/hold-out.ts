import { InputError } from "../errors.ts";
import { random } from "../tensor/random.ts";

/** Parts examples by chance, at least one on each side; the same seed parts them alike. Both keep the examples' order. */
export function holdOut<T>(
  examples: readonly T[],
  share: number,
  seed: number,
): { readonly kept: readonly T[]; readonly held: readonly T[] } {
  const count = Math.max(1, Math.round(examples.length * share));
  if (count >= examples.length) {
    throw new InputError(`cannot hold out ${share} of ${examples.length} examples; both parts need at least one`);
  }
  const indices = random(seed, "validation share").shuffle(examples.map((_, index) => index));
  const chosen = new Set(indices.slice(0, count));
  return { kept: examples.filter((_, i) => !chosen.has(i)), held: examples.filter((_, i) => chosen.has(i)) };
}
