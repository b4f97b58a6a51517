import { RunError } from "../errors.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, renew } from "../peft/phi.ts";
import { afterStep } from "./after-step.ts";
import type { Coordinates } from "./coordinates.ts";
import { optimizerGroups } from "./groups.ts";
import { optimizers } from "./optimizers.ts";
import type { TrainingSettings } from "./settings.ts";

/** What a step of the optimizer moves, and what it keeps from step to step. */
export interface Moving {
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  readonly settings: TrainingSettings;
  readonly coordinates: Coordinates | undefined;
  /** the optimizer's, and behind them the methods' */
  readonly moments: readonly Float32Array[];
}

/** One step of the optimizer. */
export interface Move {
  /** all that was minimised */
  readonly sum: number;
  readonly lr: number;
  /** from 1 on */
  readonly step: number;
  /** of the whole run */
  readonly steps: number;
}

/** What the optimizer moves: Φ, or the few numbers that Φ is a function of. */
export const trainedValues = (phi: Phi, coordinates: Coordinates | undefined): Float32Array =>
  coordinates?.values ?? phi.values;

/** Puts trained numbers of an earlier state in their place. */
export function putTrained(phi: Phi, coordinates: Coordinates | undefined, values: Float32Array): void {
  trainedValues(phi, coordinates).set(values);
  coordinates?.expand(phi.values);
  renew(phi);
}

/**
 * Moves Φ against a gradient, clipped, and lets each method have its own after it. Returns the gradient's norm.
 * @throws RunError where loss or gradient are not finite; Φ stays as it was then
 */
export function moveAgainst(
  gradient: Float32Array,
  { adapted, phi, settings, coordinates, moments: kept }: Moving,
  { sum, lr, step, steps }: Move,
): number {
  const norm = euclideanNorm(gradient);
  if (!Number.isFinite(sum) || !Number.isFinite(norm)) {
    const what = Number.isFinite(sum) ? `the gradient's norm is ${norm}` : `the loss is ${sum}`;
    throw new RunError(
      `step ${step}: ${what}; try a smaller learning rate (\`lr\`, now ${settings.lr}), more \`warmup\`, or \`clip: 1\``,
    );
  }
  const gradientFactor = settings.clip > 0 ? Math.min(1, settings.clip / (norm + 1e-6)) : 1;
  const { beta1, beta2, epsilon } = settings;
  const groups = optimizerGroups(coordinates?.layout ?? adapted.layout, settings);
  const at = { step, lr, gradientFactor, groups, beta1, beta2, epsilon };
  const { moments, update } = optimizers[settings.optimizer];
  const moving = coordinates?.contract(gradient) ?? gradient;
  update(trainedValues(phi, coordinates), moving, kept.slice(0, moments), at);
  coordinates?.expand(phi.values);
  afterStep(adapted, kept.slice(moments), { values: phi.values, gradient, gradientFactor, step, steps });
  renew(phi);
  return norm;
}

function euclideanNorm(vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!; // an iterator takes three times as long
  return Math.sqrt(sum);
}
