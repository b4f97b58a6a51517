import type { EncodedRows } from "../data/rows/encoded-rows.ts";
import { rowsAt } from "../data/rows/encoded-rows.ts";
import type { ExampleSet } from "../data/rows/examples.ts";
import { InputError } from "../errors.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { copyOf } from "../peft/phi.ts";
import { bootstrap } from "../statistics/bootstrap.ts";
import { mcnemar } from "../statistics/mcnemar.ts";
import { compileEvaluation, type Evaluation } from "../training/evaluate.ts";
import { throwIfStopped } from "../training/stop-signal.ts";
import { requireModel, requireOptions } from "./check.ts";
import { type EvaluateOptions, measurable } from "./evaluate.ts";
import type { OpenModel } from "./model.ts";
import { type Rows, readGiven } from "./rows.ts";

/** How two models did on the same rows. */
export interface Comparison {
  readonly examples: number;
  /** what is compared: `accuracy`, or `loss`, the mean of the rows' losses, where rows are not simply right or wrong */
  readonly score_name: "accuracy" | "loss";
  readonly first: Evaluation;
  readonly second: Evaluation;
  /** the second's score less the first's, with the 95 % interval of a paired bootstrap over rows */
  readonly difference: { readonly value: number; readonly interval: readonly [low: number, high: number] };
  /** rows by who has them right; only where rows are right or wrong */
  readonly rows?: {
    readonly both_right: number;
    readonly only_first: number;
    readonly only_second: number;
    readonly both_wrong: number;
  };
  /** McNemar's exact test where rows are right or wrong, else the paired bootstrap's */
  readonly test: "mcnemar" | "bootstrap";
  readonly p: number;
  /** whether p is below 0.05 */
  readonly differs: boolean;
}

const level = 0.05;

/**
 * Whether two models differ on the same labelled rows: their scores are compared row by row, so that what makes a row hard
 * for both counts for neither.
 *
 * @throws InputError for models of different tasks, and what {@link evaluate} refuses
 */
export async function compare(
  [first, second]: readonly [OpenModel, OpenModel],
  rows: ExampleSet | Rows,
  options: EvaluateOptions = {},
): Promise<Comparison> {
  const tasks = [first, second].map((model) => requireModel(model).adapted.goal.task);
  if (tasks[0] !== tasks[1])
    throw new InputError(
      `the first adapter is for ${tasks[0]} and the second for ${tasks[1]}; they answer other questions`,
    );
  const set = await readGiven(rows, {}, { signal: options.signal });
  return compared(await measuredRows(first, set, options), await measuredRows(second, set, options));
}

interface MeasuredRows {
  readonly whole: Evaluation;
  readonly losses: readonly number[];
  /** undefined where a row is more than right or wrong */
  readonly right: readonly boolean[] | undefined;
}

/** A model measured on all rows together and on each alone. */
async function measuredRows(model: OpenModel, set: ExampleSet, options: EvaluateOptions): Promise<MeasuredRows> {
  const { signal, onRemark, pause: _, ...given } = requireOptions(options);
  const { base, adapted, labels } = model;
  const phi = copyOf(model.phi);
  const rows: EncodedRows = measurable(model, set, given, { onRemark });
  const evaluation = await compileEvaluation(base.engine, adapted, { labels });
  try {
    const whole = await evaluation.run(phi, rows, signal);
    const alone: Evaluation[] = [];
    for (let row = 0; row < rows.length; row++) {
      throwIfStopped(signal);
      alone.push(await evaluation.run(phi, await rowsAt(rows, [row]), signal));
    }
    const { items, answer } = objectiveOf(adapted.goal.task);
    const isRightOrWrong =
      items === "rows" && answer !== undefined && alone.every(({ accuracy }) => accuracy !== undefined);
    return {
      whole,
      losses: alone.map(({ loss }) => loss),
      right: isRightOrWrong ? alone.map(({ accuracy }) => accuracy === 1) : undefined,
    };
  } finally {
    await evaluation.release();
  }
}

/** Two models' measured rows against one another. */
function compared(first: MeasuredRows, second: MeasuredRows): Comparison {
  const examples = first.losses.length;
  const [before, after] = [first.right?.map(Number) ?? first.losses, second.right?.map(Number) ?? second.losses];
  const gains = after.map((value, row) => value - (before[row] ?? 0));
  const meanGain = (chosen: readonly number[]) =>
    chosen.reduce((sum, row) => sum + (gains[row] ?? 0), 0) / Math.max(1, chosen.length);
  const { mean, low, high, p } = bootstrap(meanGain, { rows: examples, seeds: 1 });
  const rows = first.right && second.right && agreement(first.right, second.right);
  const tested = rows
    ? ({ test: "mcnemar", p: mcnemar(rows.only_first, rows.only_second) } as const)
    : ({ test: "bootstrap", p } as const);
  return {
    examples,
    score_name: rows ? "accuracy" : "loss",
    first: first.whole,
    second: second.whole,
    difference: { value: mean, interval: [low, high] },
    ...(rows && { rows }),
    ...tested,
    differs: tested.p < level,
  };
}

function agreement(first: readonly boolean[], second: readonly boolean[]): NonNullable<Comparison["rows"]> {
  const count = (a: boolean, b: boolean) => first.filter((right, row) => right === a && second[row] === b).length;
  return {
    both_right: count(true, true),
    only_first: count(true, false),
    only_second: count(false, true),
    both_wrong: count(false, false),
  };
}
