import { InputError, refuse, suggestion } from "../errors.ts";
import { metricsOf, objectiveOf } from "../objectives/objectives.ts";
import { looksForBest } from "./best.ts";
import { packedRun } from "./packed-run.ts";
import { stepsInEpoch } from "./step-batches.ts";
import type { TrainingRun } from "./train.ts";

/** How many steps a run takes, and how many of them are warm-up. */
export interface ScheduleLengths {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly warmup: number;
  /** steps between evaluations; 0: only at the end */
  readonly evaluateEvery: number;
}

/** What a run's length depends on. */
type Planned = Pick<TrainingRun, "examples" | "adapted" | "settings" | "validation">;

/**
 * A run with its examples packed where it says so, and how long it takes. Nothing is computed yet.
 * @throws InputError for a run that can't be: without examples, packed where it can't be, or of a length that a method refuses
 */
export function planRun<Run extends Planned>(given: Run): { readonly run: Run; readonly schedule: ScheduleLengths } {
  const run = packedRun(given);
  const { examples, settings, adapted } = run;
  if (examples.length === 0) throw new InputError("there is nothing to train on: no examples");
  const stepsPerEpoch = stepsInEpoch({ examples, settings });
  const steps = settings.steps ?? Math.max(1, Math.round((settings.epochs ?? 3) * stepsPerEpoch));
  const { evaluateEvery = looksForBest(settings) ? stepsPerEpoch : 0 } = settings;
  const warmup = settings.warmup < 1 ? Math.ceil(settings.warmup * steps) : Math.round(settings.warmup);
  refuse([
    ...lossProblems(run),
    ...rateProblems(run),
    ...adapted.methods.flatMap((use) => use.runProblems?.(steps) ?? []),
    ...(looksForBest(settings) && !run.validation
      ? ["to stop early or to keep the best adapter there must be rows to validate on"]
      : []),
  ]);
  return { run, schedule: { steps, stepsPerEpoch, warmup, evaluateEvery } };
}

/** Rates of tensors that the model does not train. */
function rateProblems({ adapted: { layout, methods }, settings }: Planned): readonly string[] {
  const names = methods.map(({ name }) => name).join("+") || "the model";
  const { headLr, loraPlus } = settings;
  return [
    ...(headLr !== undefined && !layout.some(({ part }) => part === "head")
      ? [`headLr is ${headLr}, but ${names} trains no head here`]
      : []),
    ...(loraPlus !== 1 && !layout.some(({ rate }) => rate === "loraPlus")
      ? [`loraPlus is ${loraPlus}, but ${names} has no B of LoRA, whose rate it is`]
      : []),
  ];
}

/** What is asked for and the task's objective has not. */
function lossProblems({ adapted: { goal }, settings }: Planned): readonly string[] {
  const { name, takes } = objectiveOf(goal.task);
  const { labelSmoothing, classWeights, bestBy } = settings;
  const metrics = [...metricsOf(goal.task).map((metric) => metric.name), ...(goal.teacher ? ["teacher_loss"] : [])];
  return [
    ...(labelSmoothing > 0 && !takes.labelSmoothing ? [`${name} has no label smoothing`] : []),
    ...(classWeights !== undefined && !takes.classWeights ? [`${name} has no class weights`] : []),
    ...(bestBy !== undefined && !metrics.includes(bestBy)
      ? [`bestBy is "${bestBy}"${suggestion(bestBy, metrics)}; metrics of ${name}: ${metrics.join(", ")}`]
      : []),
  ];
}
