import type { Label } from "../../data/rows/examples.ts";
import type { Answer } from "../objective.ts";
import { argmax, softmax } from "./probabilities.ts";

/** The likeliest label, and every label's probability.  logits: [labels] */
export const classAnswer = (logits: Float32Array, labels: readonly Label[]): Answer =>
  topAnswer(softmax(logits), labels);

/** The label with the largest score, and every label's score. */
export function topAnswer(scores: ArrayLike<number>, labels: readonly Label[]): Answer {
  const best = argmax(scores);
  return {
    label: labels[best] ?? "",
    score: scores[best] ?? 0,
    scores: Object.fromEntries(labels.map((label, id) => [String(label), scores[id] ?? 0])),
  };
}
