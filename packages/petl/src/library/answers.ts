import type { Label, Prediction } from "@petl/core";
import type { OpenModel } from "./model.ts";

/** What a model says of a text or of a word. */
export interface Answer {
  /** the label with the largest score, as the data have it */
  readonly label: Label;
  readonly score: number;
  /** by the label's text, every label's probability; for a regression, whose one label has no name of its own, the number itself */
  readonly scores: Readonly<Record<string, number>>;
}

type Named = Pick<OpenModel, "adapted" | "labels">;

/** A text's answer, of logits [labels]. */
export function textAnswer({ logits }: Prediction, { adapted: { goal }, labels }: Named): Answer {
  return answerOf(labels, goal.task === "regression" ? logits : softmax(logits));
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

function answerOf(labels: readonly Label[], values: ArrayLike<number>): Answer {
  const scores = labels.map((label, id) => [label, values[id] ?? 0] as const);
  const [label, score] = scores.reduce((best, each) => (each[1] > best[1] ? each : best), scores[0] ?? ["", 0]);
  return { label, score, scores: Object.fromEntries(scores) };
}

/** exp(x - max) / Σ exp(x - max), in double precision */
function softmax(logits: Float32Array): readonly number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
