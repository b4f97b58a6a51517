import type { Batch } from "../data/batches/collate.ts";
import { add } from "../graph/ops/add.ts";
import { mul } from "../graph/ops/mul.ts";
import { input, scalar, type Value } from "../graph/value.ts";
import { heads } from "../nn/model.ts";
import type { LossOptions } from "../objectives/objective.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { Noise } from "../peft/building.ts";
import type { Forward } from "../peft/forward.ts";
import type { Goal } from "../peft/goal.ts";
import { promptLength } from "../peft/prompted.ts";
import type { Tensors } from "../runtime/session.ts";
import { batchDim } from "../tensor/shape.ts";
import { differentiableLoss, measuredLoss } from "./chunked-loss.ts";
import { summedDistance } from "./distillation.ts";
import { labelledRows } from "./labelled-rows.ts";
import { inPieces, pieceRows } from "./long-rows.ts";

/** What is minimised, and what measures it: an adapted model's forward graph with its objective's loss on top. */
export interface Minimised extends Forward {
  /** summed over the batch's items, a scalar */
  readonly loss: Value;
  /** how many of the batch's items have their label as the likeliest token; only of language models that are measured */
  readonly right: Value | undefined;
  /** the mean distance of the taught vectors to the teacher's, summed over the batch's rows; undefined without a teacher */
  readonly teacherLoss: Value | undefined;
  /** The tensors of a batch that the graph reads. */
  feed(batch: Batch): Tensors;
  /** What the graph reads of a batch's lengths alone. */
  feedLengths(batch: Tensors): Tensors;
}

/** How a loss is used. */
export interface MinimisedOptions {
  /** what a loss that is differentiated is computed with; one that only measures has neither noise nor smoothing */
  readonly training?: ({ readonly noise: Noise } & LossOptions) | undefined;
  /** whether the batch's rows are packed */
  readonly packed?: boolean | undefined;
  /** how many logits of a language model may exist at once; 2²⁴, 64 MiB, where left out */
  readonly logitsAtOnce?: number | undefined;
  /**
   * how many scores of a layer's attention may exist at once, which is then computed in pieces of its queries; all where
   * left out
   */
  readonly scoresAtOnce?: number | undefined;
}

/**
 * The loss of a task. A language model's logits are computed only at the positions with a label, of which masked LMs
 * have one at about every seventh token, and chunk by chunk: the output layer is its largest product, and its result
 * would be its largest tensor.
 */
export function minimised(
  adapted: AdaptedModel,
  { training, packed, logitsAtOnce = 2 ** 24, scoresAtOnce }: MinimisedOptions = {},
): Minimised {
  const { task, teacher } = adapted.goal;
  const head = heads[objectiveOf(task).head];
  const sparse = head.from === "vocabulary";
  const ahead = head.goesOn && promptLength(adapted.methods) > 0 ? 1 : 0;
  const forward = adapted.forward({
    packed,
    noise: training?.noise,
    rows: sparse ? input("label_rows", "int32", ["chunks", 1, "rows"]) : undefined,
  });
  const rowsAtOnce = Math.max(1, Math.floor(logitsAtOnce / adapted.base.model.sizes.vocabulary));
  const sums = {
    ...lossOf(adapted.goal, forward, training),
    teacherLoss: teacher && meanDistance(forward.taught, teacher.size),
    penalty: forward.penalty,
    ...(!sparse && { logits: forward.logits }),
  };
  const feedLengths = (batch: Tensors) => (scoresAtOnce ? pieceRows(adapted, batch, scoresAtOnce) : {});
  return {
    ...forward,
    ...(scoresAtOnce ? inPieces(sums, adapted) : sums),
    feedLengths,
    feed({ items: _, ...tensors }) {
      const lengths = feedLengths(tensors);
      return { ...tensors, ...lengths, ...(sparse && labelledRows(tensors, rowsAtOnce, ahead)) };
    },
  };
}

function lossOf(
  { task, labels: outputs }: Goal,
  { logits, chosen, phi }: Forward,
  training: MinimisedOptions["training"],
): Pick<Minimised, "loss" | "right"> {
  const objective = objectiveOf(task);
  const labels = objective.labels(outputs);
  const options = training ?? { labelSmoothing: 0 };
  if (!chosen) return { loss: objective.loss(logits, labels, options), right: undefined };
  const layer = { ...chosen, logits, labels };
  const loss = (chosenLogits: Value, chosenLabels: Value) => objective.loss(chosenLogits, chosenLabels, options);
  return training ? { loss: differentiableLoss(layer, phi, loss), right: undefined } : measuredLoss(layer, loss);
}

function meanDistance(taught: readonly Value[], size: number): Value {
  const teacher = input("teacher", "float32", [batchDim, size]);
  const sum = taught.map((vector) => summedDistance(vector, teacher)).reduce((all, each) => add(all, each));
  return mul(sum, scalar(1 / taught.length));
}
