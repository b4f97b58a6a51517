import {
  type AdaptedModel,
  type CompiledEvaluation,
  compileEvaluation,
  type EncodedExample,
  type Evaluation,
  type ExampleSet,
  isLanguageModel,
  type LogitsObserver,
  measurable,
  type OpenModel,
  type Outcomes,
  objectiveOf,
  type Phi,
  type Scored,
} from "@petl/core";
import type { OpenBase } from "../library/open-base.ts";

type Task = AdaptedModel["goal"]["task"];
type Logits = Parameters<LogitsObserver>[1];

const lossScore = "minus_loss";

/** The usual metric of the task's objective; a language model's score is its loss with the other sign. */
export const scoreNameOf = (task: Task): string =>
  isLanguageModel(task) ? lossScore : (objectiveOf(task).metrics[0]?.name ?? lossScore);

function scoredBy(task: Task, evaluation: Evaluation): Omit<Scored, "outcomes"> {
  const { loss, examples: _, ...rest } = evaluation;
  const numbers = Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  const scores: Readonly<Record<string, number>> = { ...Object.fromEntries(numbers), [lossScore]: -loss };
  const score_name = scoreNameOf(task);
  return { score: scores[score_name] ?? null, score_name, scores, loss };
}

/** Scores models, the same one with several Φ by one compiled graph. */
export function openScorer(base: OpenBase) {
  let compiled: { readonly adapted: AdaptedModel; readonly evaluation: CompiledEvaluation } | undefined;
  const evaluationOf = async (adapted: AdaptedModel) => {
    if (compiled?.adapted === adapted) return compiled.evaluation;
    await compiled?.evaluation.release();
    compiled = { adapted, evaluation: await compileEvaluation(base.engine, adapted) };
    return compiled.evaluation;
  };
  return {
    async score(model: OpenModel, set: ExampleSet, maxLength: number | undefined): Promise<Scored> {
      const { adapted, phi } = model;
      const rows = await encodedList(measurable(model, set, { maxLength }));
      const evaluation = await evaluationOf(adapted);
      const { task } = adapted.goal;
      const found = rows.map(() => noOutcome);
      const measured = await evaluation.run(phi, rows, undefined, (row, logits, classes) => {
        const example = rows[row];
        if (example) found[row] = outcomeOf(example, logits, classes);
      });
      const outcomes = isLanguageModel(task)
        ? await lossOutcomes(evaluation, phi, rows)
        : joined(found, rows[0]?.target?.kind);
      return { ...scoredBy(task, measured), outcomes };
    },
    async scoreOnly(model: OpenModel, set: ExampleSet, maxLength: number | undefined): Promise<number> {
      const evaluation = await evaluationOf(model.adapted);
      const measured = await evaluation.run(model.phi, measurable(model, set, { maxLength }));
      return scoredBy(model.adapted.goal.task, measured).score ?? Number.NEGATIVE_INFINITY;
    },
    async close() {
      await compiled?.evaluation.release();
    },
  };
}

async function encodedList(rows: ReturnType<typeof measurable>): Promise<readonly EncodedExample[]> {
  if (!("lengths" in rows)) return rows;
  return Promise.all(Array.from({ length: rows.length }, (_, row) => rows.at(row)));
}

/** What a scoring row gave: a share of right answers with its weight, or a number beside the actual one. */
interface RowOutcome {
  readonly value: number;
  readonly weight: number;
  readonly actual: number;
}

const noOutcome: RowOutcome = { value: 0, weight: 0, actual: 0 };

function outcomeOf({ target }: EncodedExample, logits: Logits, classes: number): RowOutcome {
  if (target?.kind === "value") return { value: Number(logits[0] ?? 0), weight: 1, actual: target.value };
  if (target?.kind === "class")
    return { value: Number(largest(logits, 0, classes) === target.id), weight: 1, actual: 0 };
  if (target?.kind !== "tokens") return noOutcome;
  const labelled = [...target.ids.entries()].filter(([, id]) => id >= 0);
  const right = labelled.filter(([at, id]) => largest(logits, at * classes, classes) === id);
  return { value: right.length, weight: labelled.length, actual: 0 };
}

function joined(
  found: readonly RowOutcome[],
  kind: NonNullable<EncodedExample["target"]>["kind"] | undefined,
): Outcomes {
  const values = found.map(({ value }) => value);
  if (kind === "value") return { values, actual: found.map(({ actual }) => actual) };
  return kind === "tokens" ? { values, weights: found.map(({ weight }) => weight) } : { values };
}

/** Minus the summed loss of each row, and how many tokens it is of. */
async function lossOutcomes(
  evaluation: CompiledEvaluation,
  phi: Phi,
  rows: readonly EncodedExample[],
): Promise<Outcomes> {
  const [values, weights]: [number[], number[]] = [[], []];
  for (const row of rows) {
    const count = row.target?.kind === "tokens" ? row.target.ids.filter((id) => id >= 0).length : 0;
    weights.push(count);
    values.push(count === 0 ? 0 : -count * (await evaluation.run(phi, [row])).loss);
  }
  return { values, weights };
}

function largest(values: Logits, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if ((values[start + i] ?? 0) > (values[start + best] ?? 0)) best = i;
  return best;
}
