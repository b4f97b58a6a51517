import type { Batch, NumberedBatch } from "../data/batches/collate.ts";
import type { Masking } from "../data/batches/masking.ts";
import type { EncodedRows } from "../data/rows/encoded-rows.ts";
import type { Label } from "../data/rows/examples.ts";
import { InputError } from "../errors.ts";
import { weightOf } from "../objectives/labels/class-weights.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { lengthOf, type Phi, renew } from "../peft/phi.ts";
import { deviceOf } from "../runtime/devices.ts";
import type { Engine } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import { memoryOf } from "./after-step.ts";
import { bestOf, keptOf } from "./best.ts";
import { type CacheOptions, openCache, refill, stepOptions } from "./cache.ts";
import { type Coordinates, coordinatesOf } from "./coordinates.ts";
import { type Crew, crewOf } from "./crew.ts";
import { type CompiledEvaluation, compileEvaluation, type Evaluation } from "./evaluate.ts";
import { moveAgainst, putTrained, trainedValues } from "./move.ts";
import { optimizers } from "./optimizers.ts";
import { planRun, type ScheduleLengths } from "./plan-run.ts";
import { scheduleFactor } from "./schedules.ts";
import type { TrainingSettings } from "./settings.ts";
import type { Best, TrainingState } from "./state.ts";
import { compileStep, type LossAndGradient, type TrainingStep } from "./step.ts";
import { stepBatches } from "./step-batches.ts";
import type { StopSignal } from "./stop-signal.ts";

/** Engines beside one another, to be closed together. */
export interface Workers {
  readonly engines: readonly Engine[];
  close(): Promise<void>;
}

/** What is trained on what. */
export interface TrainingRun {
  readonly engine: Engine;
  /** Opens engines for so many workers, which share the threads; there is one worker where it is left out. */
  readonly openWorkers?: ((count: number) => Promise<Workers>) | undefined;
  readonly adapted: AdaptedModel;
  /** where Φ starts; it is trained in place, and with the engine while a step computes */
  readonly phi: Phi;
  readonly examples: EncodedRows;
  readonly validation?: EncodedRows | undefined;
  /** the classes' names in the order of their ids, for evaluations; LABEL_0, LABEL_1, … where left out */
  readonly labels?: readonly Label[] | undefined;
  /** what each class weighs in the loss, in the order of the ids; all the same where left out */
  readonly classWeights?: readonly number[] | undefined;
  /** hides tokens of examples without labels, anew in every epoch: how a masked LM learns from plain text */
  readonly masking?: Masking | undefined;
  readonly settings: TrainingSettings;
  /** what computes its steps, where that is not the run's own affair; nothing is cached then */
  readonly step?: TrainingStep | undefined;
  /** keeps from epoch to epoch what stays the same; nothing is kept where it is left out */
  readonly cache?: CacheOptions | undefined;
  /** where an earlier run stopped */
  readonly resume?: TrainingState | undefined;
  /** once aborted, the run ends after the step under way: with a checkpoint, and then by throwing the signal's reason */
  readonly signal?: StopSignal | undefined;
}

/** What happens in a run, in its order. Vectors in events are the run's own: copy or save them before going on. */
export type TrainingEvent =
  | {
      readonly kind: "start";
      readonly steps: number;
      readonly stepsPerEpoch: number;
      readonly step: number;
      /** rows that are trained on, packed ones as they were before */
      readonly examples: number;
    }
  | StepEvent
  | { readonly kind: "evaluation"; readonly step: number; readonly evaluation: Evaluation }
  | { readonly kind: "checkpoint"; readonly state: TrainingState }
  | {
      readonly kind: "end";
      readonly step: number;
      readonly reason: "done" | "early stop";
      /** of Φ as it is now; undefined where there is nothing to evaluate on */
      readonly evaluation: Evaluation | undefined;
    };

/** One step of the optimizer. */
export interface StepEvent {
  readonly kind: "step";
  readonly step: number;
  /** passes over the data so far */
  readonly epoch: number;
  /** mean over the step's items, before the update */
  readonly loss: number;
  /** mean distance to the teacher's vectors, 1 − cos; only with a teacher */
  readonly teacher_loss?: number;
  /** what methods want small beside the loss; only where they want something */
  readonly penalty?: number;
  readonly lr: number;
  /** norm over all of Φ before clipping */
  readonly grad_norm: number;
  /** tokens that were not padding, since the run began */
  readonly tokens: number;
}

/**
 * Trains Φ on examples, step by step. A run depends on nothing but its arguments: with the state of a checkpoint event
 * it goes on to the same bits.
 *
 * @throws RunError where the loss or the gradient is no longer finite, before Φ is touched; the signal's reason
 */
export async function* trainSteps(wanted: TrainingRun): AsyncGenerator<TrainingEvent, void, void> {
  const { run, schedule } = planRun(wanted);
  const { adapted, settings, phi, signal } = run;
  const batchesOf = stepBatches({ ...run, padId: adapted.base.model.sizes.padId });
  const coordinates = coordinatesOf(adapted, phi, settings.seed);
  const progress = beginOrGoOn(run, coordinates);
  const machine = { run, schedule, coordinates, ...(await compileRun(run, schedule)) };
  try {
    const begun = progress.step;
    if (machine.cached) await refill(machine.cached, Math.min(begun, schedule.stepsPerEpoch), batchesOf);
    yield { kind: "start", ...schedule, step: begun, examples: wanted.examples.length };
    for (;;) {
      if (signal?.aborted) {
        yield { kind: "checkpoint", state: { ...progress, values: trainedValues(phi, coordinates) } };
        throw signal.reason;
      }
      if (progress.pending) {
        const evaluation = await evaluated(machine, progress);
        if (!evaluation) continue; // it was stopped
        yield { kind: "evaluation", step: progress.step, evaluation };
      }
      const reason = endOf(progress, machine);
      if (reason) {
        yield { kind: "end", step: progress.step, reason, evaluation: putBest(progress, run) };
        return;
      }
      if (progress.step > begun && isDue(progress.step, settings.checkpointEvery))
        yield { kind: "checkpoint", state: { ...progress, values: trainedValues(phi, coordinates) } };
      yield await oneStep(machine, progress, await batchesOf(progress.step));
      const last = progress.step === schedule.steps;
      if (last) await machine.crew.release(); // the last evaluation has the memory for itself
      progress.pending = machine.evaluation !== undefined && (last || isDue(progress.step, schedule.evaluateEvery));
    }
  } finally {
    await machine.crew.release();
    await machine.evaluation?.release();
  }
}

async function compileRun(run: TrainingRun, { stepsPerEpoch, steps }: ScheduleLengths) {
  const { adapted, engine, phi, validation, labels, settings } = run;
  const { engines, close } = await workersOf(run);
  const cached = run.step ? undefined : await openCache(run, engines, stepsPerEpoch, steps);
  const own = async () => Promise.all(engines.map((each) => compileStep(each, adapted, stepOptions(run))));
  const compiled = run.step ? [run.step] : (cached ?? (await own()));
  return {
    cached: cached?.[0],
    crew: crewOf(compiled, phi, adapted, settings.accumulate * settings.workers > 1, close),
    evaluation: validation && (await compileEvaluation(engine, adapted, { labels })),
  };
}

/** What computes a run's steps: its engine, or one for each worker. */
async function workersOf({ engine, step, openWorkers, settings }: TrainingRun): Promise<Workers> {
  if (settings.workers === 1 || step) return { engines: [engine], close: async () => undefined };
  if (!deviceOf(engine.device).takesSessions)
    throw new InputError(`workers are ${settings.workers}; ${engine.device} computes one session at a time`);
  if (!openWorkers) throw new InputError(`workers are ${settings.workers}; there can be only one here`);
  return openWorkers(settings.workers);
}

const isDue = (step: number, every: number) => every > 0 && step % every === 0;

interface Progress {
  step: number;
  tokens: number;
  readonly moments: readonly Float32Array[];
  best: Best | undefined;
  /** whether the evaluation behind the step is still to come */
  pending: boolean;
  /** the newest evaluation */
  evaluation: Evaluation | undefined;
}

/** The first state of a run, or the one it goes on from. */
function beginOrGoOn({ adapted, phi, settings, resume }: TrainingRun, coordinates: Coordinates | undefined): Progress {
  const length = coordinates?.values.length ?? lengthOf(phi.layout);
  const count = optimizers[settings.optimizer].moments + memoryOf(adapted);
  if (!resume) {
    const moments = Array.from({ length: count }, () => new Float32Array(length));
    return { step: 0, tokens: 0, moments, best: undefined, pending: false, evaluation: undefined };
  }
  const { values, moments, best, pending = false, evaluation } = resume;
  if (values.length !== length)
    throw new InputError(`the checkpoint holds ${values.length} trained numbers; this run has ${length}`);
  if (moments.length !== count || moments.some((moment) => moment.length !== length))
    throw new InputError(`the checkpoint holds ${moments.length} vectors of an optimizer; this run has ${count}`);
  putTrained(phi, coordinates, values);
  return { step: resume.step, tokens: resume.tokens, moments, best, pending, evaluation };
}

/** Measures Φ and remembers the best; undefined where the signal came first. */
async function evaluated({ run, evaluation }: Machine, progress: Progress): Promise<Evaluation | undefined> {
  const { phi, validation, signal } = run;
  if (!evaluation || !validation) return undefined;
  const result = await evaluation.run(phi, validation, signal).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
  if (!result) return undefined;
  Object.assign(progress, { pending: false, evaluation: result, best: bestOf(progress, result, phi, run) });
  return result;
}

/** Why a run ends here; undefined where it goes on. */
function endOf({ step, best }: Progress, { run, schedule }: Machine): "done" | "early stop" | undefined {
  const { earlyStop } = run.settings;
  if (earlyStop > 0 && best && best.since >= earlyStop) return "early stop";
  return step === schedule.steps ? "done" : undefined;
}

/** Puts the best Φ in its place where that one is kept, and says what the Φ that stays is worth. */
function putBest({ best, evaluation }: Progress, { phi, settings }: TrainingRun): Evaluation | undefined {
  if (!best || keptOf(settings) === "last") return evaluation;
  phi.values.set(best.values);
  renew(phi);
  return best.evaluation;
}

/** What a step is computed with. */
interface Machine {
  readonly run: TrainingRun;
  readonly crew: Crew;
  readonly evaluation: CompiledEvaluation | undefined;
  readonly schedule: ScheduleLengths;
  readonly coordinates: Coordinates | undefined;
}

/** One step of the optimizer; Φ stays as it was where loss or gradient are not finite. */
async function oneStep(machine: Machine, progress: Progress, batches: readonly NumberedBatch[]): Promise<StepEvent> {
  const { adapted, settings } = machine.run;
  const { coordinates } = machine;
  const { stepsPerEpoch, steps, warmup } = machine.schedule;
  const step = progress.step + 1;
  const { loss, teacherLoss, penalty, gradient } = await lossAndGradient(machine, step, batches);
  const lr = settings.lr * scheduleFactor(settings.schedule, progress.step, warmup, steps);
  const sum = loss + teacherLoss + penalty;
  const norm = moveAgainst(
    gradient,
    { ...machine.run, coordinates, moments: progress.moments },
    { sum, lr, step, steps },
  );
  progress.step = step;
  progress.tokens += batches.reduce((all, batch) => all + tokensOf(batch), 0);
  const told = {
    loss,
    ...(adapted.goal.teacher && { teacher_loss: teacherLoss / settings.teacherWeight }),
    ...(penalty !== 0 && { penalty }),
  };
  return { kind: "step", step, epoch: step / stepsPerEpoch, ...told, lr, grad_norm: norm, tokens: progress.tokens };
}

/** The mean losses over one step's examples and their gradient, summed micro-batch by micro-batch. */
async function lossAndGradient(
  { run, crew }: Machine,
  number: number,
  batches: readonly NumberedBatch[],
): Promise<LossAndGradient> {
  const { settings, phi } = run;
  const items = batches.reduce((sum, batch) => sum + itemsOf(batch, run), 0);
  const rows = batches.reduce((sum, batch) => sum + (batch.input_ids.shape[0] ?? 0), 0);
  const scale = {
    loss: items > 0 ? 1 / items : 1,
    teacher: settings.teacherWeight / Math.max(1, rows),
    penalty: 1 / batches.length,
  };
  const noise = random(settings.seed, "dropout", number);
  return crew.run(batches, phi, scale, () => noise.uint32());
}

/** What the loss of a batch is divided by to be a mean: the number of its items, or what their classes weigh. */
const itemsOf = ({ items, labels }: Batch, { classWeights }: TrainingRun): number =>
  classWeights ? weightOf(labels, classWeights) : items;

/** Tokens that are not padding. */
function tokensOf({ attention_mask }: Batch): number {
  let count = 0;
  for (const bit of attention_mask.data) count += Number(bit);
  return count;
}
