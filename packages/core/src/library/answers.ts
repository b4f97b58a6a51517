import type { Label } from "../data/rows/examples.ts";
import type { Prediction } from "../training/row-program.ts";
import type { OpenModel } from "./model.ts";

/** What a model says of a text or of a word. */
export interface Answer {
  /** the label with the largest score, as it was given */
  readonly label: Label;
  readonly score: number;
  /** every label's probability by the label's text; for a regression, whose one label has no name, the number itself */
  readonly scores: Readonly<Record<string, number>>;
}

type Named = Pick<OpenModel, "adapted" | "labels">;

/** A text's answer, of logits [labels]. */
export function textAnswer({ logits }: Prediction, { adapted: { goal }, labels }: Named, topK?: number): Answer {
  return answerOf(labels, goal.task === "regression" ? logits : softmax(logits), topK);
}

/** The answers of some positions of logits [tokens, labels]; undefined for a position of -1. */
export function tokenAnswers(
  { shape, logits }: Prediction,
  { labels }: Named,
  positions: Iterable<number> = Array(shape[0] ?? 0).keys(),
): readonly (Answer | undefined)[] {
  const classes = shape[1] ?? 1;
  return Array.from(positions, (at) =>
    at < 0 ? undefined : answerOf(labels, softmax(logits.subarray(at * classes, (at + 1) * classes))),
  );
}

function answerOf(labels: readonly Label[], values: ArrayLike<number>, topK = labels.length): Answer {
  const scores = labels.map((label, id) => ({ label, score: values[id] ?? 0 }));
  const best = scores.reduce(
    (one, each) => (each.score > one.score ? each : one),
    scores[0] ?? { label: "", score: 0 },
  );
  const kept = topK < scores.length ? [...scores].sort((a, b) => b.score - a.score).slice(0, topK) : scores;
  return { ...best, scores: Object.fromEntries(kept.map(({ label, score }) => [String(label), score])) };
}

/** exp(x - max) / Σ exp(x - max), in double precision */
function softmax(logits: Float32Array): readonly number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
