import { InputError } from "../errors.ts";
import type { Answer } from "../objectives/objective.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { Prediction } from "../training/row-program.ts";
import type { OpenModel } from "./model.ts";

type Named = Pick<OpenModel, "adapted" | "labels">;

/** A text's answer, of logits [labels]. */
export const textAnswer = ({ logits }: Prediction, model: Named): Answer => answering(model)(logits);

/** The answers of some positions of logits [tokens, labels]; undefined for a position of -1. */
export function tokenAnswers(
  { shape, logits }: Prediction,
  model: Named,
  positions: Iterable<number> = Array(shape[0] ?? 0).keys(),
): readonly (Answer | undefined)[] {
  const classes = shape[1] ?? 1;
  const answer = answering(model);
  return Array.from(positions, (at) =>
    at < 0 ? undefined : answer(logits.subarray(at * classes, (at + 1) * classes)),
  );
}

/** @throws InputError where the model's answers are words of the vocabulary */
function answering({ adapted, labels }: Named): (logits: Float32Array) => Answer {
  const { task } = adapted.goal;
  const { answer } = objectiveOf(task);
  if (answer) return (logits) => answer(logits, labels);
  throw new InputError(`a model for ${task} answers with words, not with labels`);
}

/** An answer with the K best of its scores. */
export function withBest(answer: Answer, topK: number | undefined): Answer {
  if (topK === undefined || answer.scores === undefined) return answer;
  const best = Object.entries(answer.scores).sort(([, a], [, b]) => b - a);
  return { ...answer, scores: Object.fromEntries(best.slice(0, topK)) };
}
