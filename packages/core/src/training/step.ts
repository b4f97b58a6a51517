import { gradients } from "../autodiff/gradients.ts";
import type { NumberedBatch } from "../data/batches/collate.ts";
import { InputError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { mul } from "../graph/ops/mul.ts";
import { input, type Value } from "../graph/value.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { deviceOf } from "../runtime/devices.ts";
import { compile } from "../runtime/program.ts";
import type { Engine, Tensors } from "../runtime/session.ts";
import { float32, type HostTensor } from "../tensor/host-tensor.ts";
import { type GradientOutputs, gradientOutputs } from "./gradient-outputs.ts";
import { type Minimised, type MinimisedOptions, minimised } from "./minimised.ts";

/** Factors of a batch's sums. */
export interface LossScale {
  /** of the task's loss: 1 / items for the mean */
  readonly loss: number;
  /** of the distance to a teacher: weight / rows */
  readonly teacher: number;
  /** of what methods want small beside the loss: 1 / micro-batches */
  readonly penalty: number;
}

/** The compiled training step, (batch, Φ) → (loss, ∂loss/∂Φ). */
export interface TrainingStep {
  /**
   * The batch's losses, and the gradient of their sum. `noise` is the dropout's key, new for every batch. Φ is lent to
   * the engine, and so is `vector`, of Φ's layout and with a buffer of its own, which comes back as the gradient.
   */
  run(batch: NumberedBatch, phi: Phi, scale: LossScale, noise: number, vector: Float32Array): Promise<LossAndGradient>;
  release(): Promise<void>;
}

/** A batch's sums times their factors. */
export interface LossAndGradient {
  readonly loss: number;
  /** 0 without a teacher */
  readonly teacherLoss: number;
  /** 0 where methods want nothing beside the loss */
  readonly penalty: number;
  /** ∂(loss + teacherLoss + penalty)/∂Φ, of Φ's layout */
  readonly gradient: Float32Array;
  /** the batch's, where the step was compiled to tell them */
  readonly logits?: HostTensor | undefined;
}

export interface StepOptions extends Pick<MinimisedOptions, "logitsAtOnce" | "packed" | "scoresAtOnce"> {
  /** the base's own */
  readonly dropout: number;
  readonly labelSmoothing: number;
  readonly classWeights?: readonly number[] | undefined;
  /** computes each block of the model once more for its gradient: less memory, more time */
  readonly recompute?: boolean | undefined;
  /** packs the base's weights once for all steps: less time, more memory */
  readonly prepack?: boolean | undefined;
}

/** The training step before it is compiled: its losses and gradients, and how batches and vectors meet them. */
export interface StepGraph extends Pick<GradientOutputs, "tables" | "lend" | "collect"> {
  readonly losses: Readonly<Record<string, Value>>;
  readonly outputs: GradientOutputs["outputs"];
  readonly feed: Minimised["feed"];
  readonly feedLengths: Minimised["feedLengths"];
  /** of all the batch's rows; undefined of language models, whose logits are never there at once */
  readonly logits: Value | undefined;
  /** whether it computes things twice on purpose */
  readonly repeats: boolean;
  /** whether its weights are packed once for all steps */
  readonly packs: boolean;
}

/** Differentiates the adapted model's loss with respect to Φ. */
export function stepGraph(adapted: AdaptedModel, options: StepOptions): StepGraph {
  const { dropout, labelSmoothing, classWeights, recompute = false, prepack = false, ...rest } = options;
  const training = { noise: { key: input("noise", "int64", []), dropout }, labelSmoothing, classWeights };
  const {
    loss: sum,
    teacherLoss,
    penalty: mean,
    phi: tensors,
    feed,
    feedLengths,
    logits,
    chosen,
  } = minimised(adapted, { ...rest, training });
  const loss = mul(sum, input("loss_scale", "float32", []));
  const teacher = teacherLoss && mul(teacherLoss, input("teacher_scale", "float32", []));
  const penalty = mean && mul(mean, input("penalty_scale", "float32", []));
  const whole = [teacher, penalty].reduce<Value>((all, part) => (part ? add(all, part) : all), loss);
  const losses = { loss, ...(teacher && { teacher_loss: teacher }), ...(penalty && { penalty }) };
  return {
    losses,
    feed,
    feedLengths,
    logits: chosen ? undefined : logits,
    repeats: recompute,
    packs: prepack,
    ...gradientOutputs(adapted.layout, gradients(whole, tensors, { recompute })),
  };
}

/** Options without chunks where the engine's device computes none. */
export const fittedTo = <O extends Pick<MinimisedOptions, "logitsAtOnce" | "scoresAtOnce">>(
  { device }: Engine,
  options: O,
): O =>
  deviceOf(device).takesChunks
    ? options
    : { ...options, logitsAtOnce: Number.POSITIVE_INFINITY, scoresAtOnce: undefined };

/** Compiles the step of an adapted model. */
export const compileStep = (engine: Engine, adapted: AdaptedModel, options: StepOptions): Promise<TrainingStep> =>
  compileGraph(engine, stepGraph(adapted, fittedTo(engine, options)));

/** Compiles the step of an adapted model to tell the logits too. */
export function compileTellingStep(engine: Engine, adapted: AdaptedModel, options: StepOptions): Promise<TrainingStep> {
  const { losses, logits, ...graph } = stepGraph(adapted, fittedTo(engine, options));
  return compileGraph(engine, { ...graph, logits, losses: { ...losses, ...(logits && { logits }) } });
}

/**
 * Compiles a step's graph.
 * @param beside what the graph reads of a batch besides what batches bring
 * @throws InputError for an engine whose activations are rounded
 */
export async function compileGraph(
  engine: Engine,
  { losses, outputs, lend, collect, feed, repeats, packs }: StepGraph,
  beside: (batch: NumberedBatch) => Promise<Tensors> = async () => ({}),
): Promise<TrainingStep> {
  if (engine.activations === "int8")
    throw new InputError(
      "activations are int8, but training computes with float32; open the base without `activations`",
    );
  const program = await compile(engine, { ...losses, ...outputs }, { repeats, packs });
  return {
    async run(numbered, phi, scale, key, vector) {
      const { rows: _, ...batch } = numbered;
      const more = await beside(numbered);
      const results = await program.run(
        {
          ...feed(batch),
          ...more,
          ...tensorsOf(phi),
          loss_scale: float32([], Float32Array.of(scale.loss)),
          teacher_scale: float32([], Float32Array.of(scale.teacher)),
          penalty_scale: float32([], Float32Array.of(scale.penalty)),
          noise: { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(key)) },
        },
        lend(vector),
        [phi],
      );
      const numberIn = (name: string) => Number(results[name]?.data[0] ?? 0);
      const sums = { loss: numberIn("loss"), teacherLoss: numberIn("teacher_loss"), penalty: numberIn("penalty") };
      return { ...sums, gradient: collect(results, vector), logits: results.logits };
    },
    release: () => program.release(),
  };
}
