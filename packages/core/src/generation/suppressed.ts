import type { Continuing } from "./continuing.ts";
import type { Text } from "./texts.ts";

/** Scores of a text's next token, −∞ for those that never come, or never come first. */
export function withoutSuppressed(
  scores: Float32Array,
  { ids, begun }: Pick<Text, "ids" | "begun">,
  { suppressed = [], suppressedFirst = [] }: Pick<Continuing, "suppressed" | "suppressedFirst">,
): Float32Array {
  const never = ids.length === begun ? [...suppressed, ...suppressedFirst] : suppressed;
  if (never.length === 0) return scores;
  const changed = scores.slice();
  for (const id of never) if (id < changed.length) changed[id] = Number.NEGATIVE_INFINITY;
  return changed;
}
