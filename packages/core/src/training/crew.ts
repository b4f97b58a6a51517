import type { NumberedBatch } from "../data/batches/collate.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { lengthOf, type Phi } from "../peft/phi.ts";
import type { LossAndGradient, LossScale, TrainingStep } from "./step.ts";

/** Workers that share a step's batches: each has a session of its own, and all but the first a Φ of their own. */
export interface Crew {
  /**
   * The sums of the batches' losses and of their gradients, in the batches' order, so that the same batches give the same
   * bits however fast each worker is. `key` gives each batch its dropout's key. The gradient is the crew's own.
   */
  run(batches: readonly NumberedBatch[], phi: Phi, scale: LossScale, key: () => number): Promise<LossAndGradient>;
  /** Gives back what the workers hold; more than once does no harm. */
  release(): Promise<void>;
}

/** A worker: its step, the vector that it is lent, and its Φ where that is not the run's. */
interface Worker {
  readonly step: TrainingStep;
  vector: Float32Array;
  readonly own: Phi | undefined;
}

/**
 * Makes a crew of compiled steps.
 * @param accumulates whether a step may have more batches than there are workers
 * @param close ends what the steps run in
 */
export function crewOf(
  steps: readonly TrainingStep[],
  ownPhi: Phi,
  { layout }: AdaptedModel,
  accumulates: boolean,
  close: () => Promise<void>,
): Crew {
  const length = lengthOf(layout);
  const workers = steps.map((step, at): Worker => {
    return {
      step,
      vector: new Float32Array(length),
      own: at === 0 ? undefined : { ...ownPhi, values: ownPhi.values.slice() },
    };
  });
  const sum = accumulates || steps.length > 1 ? new Float32Array(length) : undefined;
  let released = false;
  return {
    async run(batches, phi, scale, key) {
      const total = { loss: 0, teacherLoss: 0, penalty: 0 };
      sum?.fill(0);
      for (const { own } of workers) own?.values.set(phi.values);
      for (let from = 0; from < batches.length; from += workers.length) {
        const together = batches.slice(from, from + workers.length);
        for (const part of await atOnce(workers, together, phi, scale, key)) {
          total.loss += part.loss;
          total.teacherLoss += part.teacherLoss;
          total.penalty += part.penalty;
          if (sum) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + part.gradient[i]!;
        }
      }
      return { ...total, gradient: sum ?? workers[0]?.vector ?? new Float32Array(length) };
    },
    async release() {
      if (released) return;
      released = true;
      for (const { step } of workers) await step.release();
      await close();
    },
  };
}

/** One batch for each worker. What is lent has come back when this ends, well or not. */
async function atOnce(
  workers: readonly Worker[],
  batches: readonly NumberedBatch[],
  phi: Phi,
  scale: LossScale,
  key: () => number,
): Promise<readonly LossAndGradient[]> {
  const running = batches.flatMap((batch, at) => {
    const worker = workers[at];
    return worker ? [work(worker, batch, phi, scale, key())] : [];
  });
  await Promise.allSettled(running);
  return Promise.all(running);
}

async function work(worker: Worker, batch: NumberedBatch, phi: Phi, scale: LossScale, key: number) {
  const part = await worker.step.run(batch, worker.own ?? phi, scale, key, worker.vector);
  worker.vector = part.gradient;
  return part;
}
