import type { Role } from "../nn/scope.ts";
import type { Random } from "../tensor/random.ts";

/** Which part of Φ a tensor belongs to: a method's own, the base's where a method unfreezes it, or the head. */
type Part = "adapter" | "base" | "head";

/** Settings of a training that multiply the rate of some tensors: LoRA+'s of B (Hayou et al. 2024, arXiv:2402.12354). */
export type RateFactor = "loraPlus";

/** One trained tensor: a named view of Φ. */
export interface Parameter {
  /** the Hugging Face module path and the tensor's name behind it */
  readonly name: string;
  readonly shape: readonly number[];
  readonly part: Part;
  readonly role: Role;
  /** the number of its layer in the stack; undefined outside of it */
  readonly layer: number | undefined;
  /** the setting of a training that multiplies its learning rate; none where left out */
  readonly rate?: RateFactor | undefined;
  /** the method whose tensor it is; undefined for the head's */
  readonly method: string | undefined;
  readonly initial: Initializer;
  /** the checkpoint's tensor that it starts from; undefined where it starts anew */
  readonly stored: string | undefined;
}

/** A matrix that is drawn once, never trained and shared by all sites that read it, each its first rows and columns. */
export interface Projection {
  readonly name: string;
  /** as long along each axis as the largest site needs */
  readonly shape: readonly number[];
  /** what it is drawn from, whatever the run's seed is */
  readonly key: number;
  readonly initial: Initializer;
}

/** Where an initial value comes from. */
export interface InitialContext {
  readonly shape: readonly number[];
  /** its own stream of random numbers, keyed by the run's seed and the tensor's name */
  readonly random: Random;
  /** a tensor of the checkpoint, in float32 */
  readonly read: (name: string) => Promise<Float32Array>;
  /** undefined where there are no data to train on */
  readonly directions: InputDirections | undefined;
}

/** The directions in which a linear layer's inputs differ most, the first of them: [count, in], of length 1. */
export type InputDirections = (path: string, count: number) => Float32Array;

export type Initializer = (context: InitialContext) => Float32Array | Promise<Float32Array>;

const filled =
  (fill: (values: Float32Array, context: InitialContext) => void): Initializer =>
  (context) => {
    const values = new Float32Array(context.shape.reduce((product, n) => product * n, 1));
    fill(values, context);
    return values;
  };

export const filledWith = (number: number): Initializer => filled((values) => values.fill(number));
export const zeros: Initializer = filledWith(0);
export const ones: Initializer = filledWith(1);

/** N(0, std²) */
export const normal = (std: number): Initializer => filled((values, { random }) => random.fillNormal(values, 0, std));

/**
 * Kaiming's uniform distribution with PyTorch's default slope √5: U(−1/√in, 1/√in) for a matrix [out, in]
 * (He et al. 2015, arXiv:1502.01852, section 2.2).
 */
export const kaimingUniform: Initializer = filled((values, { random, shape }) => {
  const bound = 1 / Math.sqrt(shape.at(-1) ?? 1);
  random.fillUniform(values, -bound, bound);
});

/** Kaiming's uniform distribution as for ReLUs: U(−√(6/in), √(6/in)) for a matrix [out, in] (the same section). */
export const heUniform: Initializer = filled((values, { random, shape }) => {
  const bound = Math.sqrt(6 / (shape.at(-1) ?? 1));
  random.fillUniform(values, -bound, bound);
});

/** The checkpoint's own value. */
export const fromCheckpoint =
  (tensor: string): Initializer =>
  ({ read }) =>
    read(tensor);
