import { longestOf as longestRow } from "../data/rows/encoded-rows.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { shapeOf } from "../peft/shape-of.ts";
import { stepOptions } from "./cache.ts";
import { apartBecause, jointSteps } from "./joint-step.ts";
import { scoresAtOnce } from "./long-rows.ts";
import type { TrainingStep } from "./step.ts";
import type { TrainingRun } from "./train.ts";

/** Tokens of a joint step at most, padding counted, unless two trainings alone have more: half a gigabyte of a small base. */
const tokensAtOnce = 4096;

/** Logits of a joint step at most, 256 MiB: alone, a language model's are computed in chunks that rows of several would share. */
const logitsAtOnce = 2 ** 26;

/** Trainings that are carried out side by side. */
export interface Together<Run> {
  readonly run: Run;
  /** what computes its steps; undefined where it computes them itself */
  readonly step: TrainingStep | undefined;
}

/**
 * Which trainings are made at once, in their order: those whose adapters are of one kind and whose losses are computed alike,
 * as many as a step has room for. Every one of the lists is to be trained side by side, since each step waits for all of
 * its trainings; a step is to be released once its training has ended, however it ends.
 */
export function together<Run extends TrainingRun>(runs: readonly Run[]): readonly (readonly Together<Run>[])[] {
  const open = new Map<string, Run[]>();
  const lists: Run[][] = [];
  for (const run of runs) {
    const key = apart(run) ? undefined : JSON.stringify([shapeOf(run.adapted), stepOptions(run)]);
    const list = key === undefined ? undefined : open.get(key);
    if (list && fits([...list, run])) {
      list.push(run);
      continue;
    }
    const begun = [run];
    lists.push(begun);
    if (key !== undefined) open.set(key, begun);
  }
  return lists.map((list) => withSteps(list));
}

function withSteps<Run extends TrainingRun>(list: readonly Run[]): readonly Together<Run>[] {
  const [first] = list;
  if (!first || list.length === 1) return list.map((run) => ({ run, step: undefined }));
  const { adapted } = first;
  const widest = { batch: rowsOf(list), tokens: longestOf(list) };
  const atOnce = scoresAtOnce(adapted, widest, adapted.base.model.sizes.layers);
  const steps = jointSteps(first.engine, adapted, stepOptions(first), { count: list.length, scoresAtOnce: atOnce });
  return list.map((run, at) => ({ run, step: steps[at] }));
}

const apart = ({ adapted, settings, masking }: TrainingRun): boolean =>
  masking !== undefined || settings.pack !== undefined || apartBecause(adapted).length > 0;

/** Rows of a joint step. */
const rowsOf = (list: readonly TrainingRun[]) => list.reduce((sum, { settings }) => sum + settings.batch, 0);

/** Tokens of the longest row of all. */
const longestOf = (list: readonly TrainingRun[]) => Math.max(1, ...list.map(({ examples }) => longestRow(examples)));

/** How many logits the rows of a joint step have: of a language model, all words at every token. */
function logitsOf(list: readonly TrainingRun[]): number {
  const [first] = list;
  if (!first || heads[objectiveOf(first.adapted.goal.task).head].from !== "vocabulary") return 0;
  return rowsOf(list) * longestOf(list) * first.adapted.base.model.sizes.vocabulary;
}

const fits = (list: readonly TrainingRun[]): boolean =>
  logitsOf(list) <= logitsAtOnce &&
  !isNoisyInPieces(list) &&
  (list.length <= 2 || rowsOf(list) * longestOf(list) <= tokensAtOnce);

/** Whether the base's dropout on probabilities would be drawn piece by piece. */
function isNoisyInPieces(list: readonly TrainingRun[]): boolean {
  const [first] = list;
  if (!first || first.settings.baseDropout === 0) return false;
  const widest = { batch: rowsOf(list), tokens: longestOf(list) };
  return scoresAtOnce(first.adapted, widest, first.adapted.base.model.sizes.layers) !== undefined;
}
