import { input } from "../graph/value.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import { batchDim, tokensDim } from "../tensor/shape.ts";
import type { StepOptions } from "./step.ts";

/** The loss of each row of a batch by its logits, [rows, …], and its labels: summed over the row's items. */
export interface RowLosses {
  of(logits: HostTensor, labels: HostTensor): Promise<readonly number[]>;
  release(): Promise<void>;
}

/** Compiles an objective's loss alone; the model is no part of it. */
export async function compileRowLosses(
  engine: Engine,
  { goal }: AdaptedModel,
  { labelSmoothing, classWeights }: Pick<StepOptions, "labelSmoothing" | "classWeights">,
): Promise<RowLosses> {
  const objective = objectiveOf(goal.task);
  const labels = objective.labels(goal.labels);
  const items = labels.shape.includes(tokensDim) ? [batchDim, tokensDim] : [batchDim];
  const logits = input("logits", "float32", [...items, goal.labels]);
  const program = await compile(engine, { loss: objective.loss(logits, labels, { labelSmoothing, classWeights }) });
  return {
    async of(all, given) {
      const losses: number[] = [];
      for (let row = 0; row < (all.shape[0] ?? 0); row++) {
        const { loss } = await program.run({ logits: rowOf(all, row), labels: rowOf(given, row) });
        losses.push(Number(loss?.data[0]));
      }
      return losses;
    },
    release: () => program.release(),
  };
}

/** One row of a tensor as a batch. */
function rowOf(tensor: HostTensor, row: number): HostTensor {
  const size = tensor.data.length / (tensor.shape[0] ?? 1);
  const shape = [1, ...tensor.shape.slice(1)];
  const [start, end] = [row * size, (row + 1) * size];
  switch (tensor.dtype) {
    case "float32":
      return { ...tensor, shape, data: tensor.data.subarray(start, end) };
    case "int32":
      return { ...tensor, shape, data: tensor.data.subarray(start, end) };
    default:
      return tensor;
  }
}
