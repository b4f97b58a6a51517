import { gradients } from "../autodiff/gradients.ts";
import type { Batch } from "../data/collate.ts";
import { InternalError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { mul } from "../graph/ops/mul.ts";
import { input } from "../graph/value.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf, viewsOf } from "../peft/phi.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { objective } from "./objective.ts";

/** Factors of a batch's sums. */
export interface LossScale {
  /** of the task's loss: 1 / items for the mean */
  readonly loss: number;
  /** of the distance to a teacher: weight / rows */
  readonly teacher: number;
}

/** The compiled training step, (batch, Φ) → (loss, ∂loss/∂Φ). */
export interface TrainingStep {
  /**
   * The batch's losses, and the gradient of their sum. `noise` is the dropout's key, new for every batch. `vector`, of
   * Φ's layout and with a buffer of its own, is lent to the engine and comes back as the gradient.
   */
  run(batch: Batch, phi: Phi, scale: LossScale, noise: number, vector: Float32Array): Promise<LossAndGradient>;
  release(): Promise<void>;
}

/** A batch's sums times their factors. */
export interface LossAndGradient {
  readonly loss: number;
  /** 0 without a teacher */
  readonly teacherLoss: number;
  /** ∂(loss + teacherLoss)/∂Φ, of Φ's layout */
  readonly gradient: Float32Array;
}

/** Differentiates the adapted model's loss with respect to Φ and compiles both. */
export async function compileStep(
  engine: Engine,
  adapted: AdaptedModel,
  options: { readonly dropout: number; readonly labelSmoothing: number },
): Promise<TrainingStep> {
  const { dropout, labelSmoothing } = options;
  const noise = { key: input("noise", "int64", []), dropout };
  const { loss: sum, teacherLoss, phi: tensors, feed } = objective(adapted, { noise, labelSmoothing });
  const loss = mul(sum, input("loss_scale", "float32", []));
  const teacher = teacherLoss && mul(teacherLoss, input("teacher_scale", "float32", []));
  const names = adapted.layout.map(({ name }) => name);
  const slopes = gradients(teacher ? add(loss, teacher) : loss, tensors);
  const outputs = Object.fromEntries(slopes.map((slope, i) => [gradientOf(names[i] ?? ""), slope]));
  const program = await compile(engine, { loss, ...(teacher && { teacher_loss: teacher }), ...outputs });
  return {
    async run(batch, phi, scale, key, vector) {
      const views = Object.entries(viewsOf(phi.layout, vector));
      const results = await program.run(
        {
          ...feed(batch),
          ...tensorsOf(phi),
          loss_scale: float32([], Float32Array.of(scale.loss)),
          teacher_scale: float32([], Float32Array.of(scale.teacher)),
          noise: { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(key)) },
        },
        Object.fromEntries(views.map(([name, view]) => [gradientOf(name), view])),
      );
      const returned = names[0] === undefined ? vector : results[gradientOf(names[0])]?.data;
      if (!(returned instanceof Float32Array)) throw new InternalError("a gradient should be float32");
      const [loss, teacherLoss] = [results.loss, results.teacher_loss].map((sum) => Number(sum?.data[0] ?? 0));
      return { loss: loss ?? 0, teacherLoss: teacherLoss ?? 0, gradient: new Float32Array(returned.buffer) };
    },
    release: () => program.release(),
  };
}

const gradientOf = (name: string) => `gradient of ${name}`;
