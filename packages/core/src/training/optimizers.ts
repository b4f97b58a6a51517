/** What an optimizer does with a stretch of the flat vector: its own rate and its own decay. */
export interface Group {
  readonly start: number;
  readonly end: number;
  /** factor of the step's learning rate */
  readonly rate: number;
  readonly weightDecay: number;
}

interface OptimizerSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** An optimizer on flat vectors; its state has the layout of Φ. */
interface Optimizer {
  /** how many vectors of Φ's length it keeps between steps */
  readonly moments: number;
  /** Moves values against the gradient; `step` counts from 1. */
  update(values: Float32Array, gradient: Float32Array, moments: readonly Float32Array[], at: UpdateStep): void;
}

interface UpdateStep extends OptimizerSettings {
  readonly step: number;
  readonly lr: number;
  /** factor of the gradient, below 1 where it is clipped */
  readonly gradientFactor: number;
  readonly groups: readonly Group[];
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2), as torch.optim.AdamW:
 * θ ← θ − lr λ θ, then θ ← θ − lr m̂ / (√v̂ + ε).
 */
const adamw: Optimizer = {
  moments: 2,
  update(values, gradient, [first, second], { step, lr, beta1, beta2, epsilon, gradientFactor, groups }) {
    if (!first || !second) return;
    const correction1 = 1 - beta1 ** step;
    const correction2 = Math.sqrt(1 - beta2 ** step);
    for (const { start, end, rate, weightDecay } of groups) {
      const decay = 1 - lr * rate * weightDecay;
      const size = (lr * rate) / correction1;
      for (let i = start; i < end; i++) {
        const g = gradient[i]! * gradientFactor;
        if (g === 0 && first[i] === 0 && second[i] === 0) {
          values[i] = values[i]! * decay; // of a word that was never seen: memory of its moments is not touched
          continue;
        }
        const m = beta1 * first[i]! + (1 - beta1) * g;
        const v = beta2 * second[i]! + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        values[i] = values[i]! * decay - (size * m) / (Math.sqrt(v) / correction2 + epsilon);
      }
    }
  },
};

/** Plain gradient descent with decoupled weight decay: θ ← θ − lr λ θ − lr g. */
const sgd: Optimizer = {
  moments: 0,
  update(values, gradient, _moments, { lr, gradientFactor, groups }) {
    for (const { start, end, rate, weightDecay } of groups) {
      const decay = 1 - lr * rate * weightDecay;
      for (let i = start; i < end; i++) values[i] = values[i]! * decay - lr * rate * gradient[i]! * gradientFactor;
    }
  },
};

export const optimizers = { adamw, sgd } as const;
type OptimizerName = keyof typeof optimizers;
export const optimizerNames = ["adamw", "sgd"] as const satisfies readonly OptimizerName[];
