import type { Label } from "../../data/rows/examples.ts";
import type { OneLabel } from "../objective.ts";
import { argmax, softmax } from "./probabilities.ts";

/** The likeliest label, and every label's probability.  logits: [labels] */
export function classAnswer(logits: Float32Array, labels: readonly Label[]): OneLabel {
  const scores = softmax(logits);
  const best = argmax(scores);
  return {
    label: labels[best] ?? "",
    score: scores[best] ?? 0,
    scores: Object.fromEntries(labels.map((label, id) => [String(label), scores[id] ?? 0])),
  };
}
