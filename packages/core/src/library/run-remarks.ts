import type { Evaluation } from "../training/evaluate.ts";
import type { TrainingEvent } from "../training/train.ts";
import type { TrainingEnd } from "./next-steps.ts";

/** Watches a training, and says at its end what looks wrong with it. */
export interface RunWatch {
  see(event: TrainingEvent): void;
  /** in words */
  remarks(): readonly string[];
  /** its losses and what was measured at its end */
  end(): Omit<TrainingEnd, "rows">;
}

/** Steps whose losses are compared, at the beginning and at the end. */
const compared = 5;

export function watchTraining(): RunWatch {
  const first: number[] = [];
  let last: readonly number[] = [];
  let evaluation: Evaluation | undefined;
  let largest = 0;
  return {
    see(event) {
      if (event.kind === "end") ({ evaluation } = event);
      if (event.kind !== "step") return;
      if (first.length < compared) first.push(event.loss);
      last = [...last.slice(1 - compared), event.loss];
      largest = Math.max(largest, Math.abs(event.loss));
    },
    remarks: () => [
      ...(first.length > 0 && largest === 0 ? ["the loss was 0 in every step: there was nothing to learn"] : []),
      ...grown(first, last),
      ...noBetter(evaluation),
    ],
    end: () => ({
      losses: first.length < compared ? undefined : { first: mean(first), last: mean(last) },
      evaluation,
    }),
  };
}

function grown(first: readonly number[], last: readonly number[]): readonly string[] {
  const [begin, end] = [mean(first), mean(last)];
  if (first.length < compared || !(end > 1.5 * begin)) return [];
  return [`the loss grew from ${begin.toPrecision(3)} to ${end.toPrecision(3)}; a smaller learning rate may help`];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** A model that does no better than to give every row the most frequent label has learnt nothing of use. */
function noBetter(evaluation: Evaluation | undefined): readonly string[] {
  const { accuracy, majority, examples } = evaluation ?? {};
  if (accuracy === undefined || !majority || accuracy > majority.accuracy) return [];
  return [
    `accuracy ${accuracy.toFixed(3)} on ${examples} rows is no better than the majority: always "${majority.label}" gives ${majority.accuracy.toFixed(3)}; try more epochs, another rate or pooling`,
  ];
}
