import { InputError, refuse } from "../errors.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { packedRun } from "./packed-run.ts";
import { stepsInEpoch } from "./step-batches.ts";
import type { TrainingRun } from "./train.ts";

/** How many steps a run takes, and how many of them are warm-up. */
export interface ScheduleLengths {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly warmup: number;
}

/** What a run's length depends on. */
type Planned = Pick<TrainingRun, "examples" | "adapted" | "settings" | "classWeights">;

/**
 * A run with its examples packed where it says so, and how long it takes. Nothing is computed yet.
 * @throws InputError for a run that can't be: without examples, packed where it can't be, or of a length that a method refuses
 */
export function planRun<Run extends Planned>(given: Run): { readonly run: Run; readonly schedule: ScheduleLengths } {
  const run = packedRun(given);
  const { examples, settings, adapted } = run;
  if (examples.length === 0) throw new InputError("there is nothing to train on: no examples");
  const stepsPerEpoch = stepsInEpoch({ examples, settings });
  const steps = settings.steps ?? Math.max(1, Math.round(settings.epochs * stepsPerEpoch));
  const warmup = settings.warmup < 1 ? Math.ceil(settings.warmup * steps) : Math.round(settings.warmup);
  refuse([...lossProblems(run), ...adapted.methods.flatMap((use) => use.runProblems?.(steps) ?? [])]);
  return { run, schedule: { steps, stepsPerEpoch, warmup } };
}

/** Terms of the loss that the task's objective has not. */
function lossProblems({ adapted, settings, classWeights }: Planned): readonly string[] {
  const { name, takes } = objectiveOf(adapted.goal.task);
  return [
    ...(settings.labelSmoothing > 0 && !takes.labelSmoothing ? [`${name} has no label smoothing`] : []),
    ...(classWeights && !takes.classWeights ? [`${name} has no class weights`] : []),
  ];
}
