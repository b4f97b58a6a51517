import { bottleneck } from "../peft/methods/bottleneck/bottleneck.ts";
import { type MeasuredSetting, measure, type PlannedTraining } from "./setting.ts";
import type { PlanTarget } from "./target.ts";

/**
 * The rule of thumb for bottlenecks, size = ratio · hidden, beside what such a size trains. A block has about 12 hidden²
 * weights and an adapter 2 · hidden · size, so the share of one adapter a block is size / (6 · hidden).
 */
export function lectureEstimate(
  training: PlannedTraining,
  { use, counts }: MeasuredSetting,
  target: PlanTarget | undefined,
): readonly string[] {
  const { hidden } = training.base.model.sizes;
  const { base_parameters, trainable_ratio } = counts;
  const ratio = !target ? trainable_ratio : target.kind === "ratio" ? target.value : target.value / base_parameters;
  const size = Math.round(ratio * hidden);
  const rule = `the lecture's estimate, size = ratio × hidden = ${percent(ratio)} × ${hidden}, says ${size}`;
  if (size < 1) return [`${rule}: no adapter at all`];
  if (size > 4 * hidden) return [`${rule}, more than makes sense`];
  const { trained_parameters, trainable_ratio: exact } = measure(
    training,
    bottleneck.use({ ...use.options, size }),
  ).counts;
  return [
    `${rule}; exactly, size ${size} trains ${trained_parameters.toLocaleString("en-US")} parameters, ${percent(exact)} of the base`,
    "the estimate leaves out that a block has about 12 hidden² weights and an adapter 2 · hidden · size, that there may be two adapters a block, their biases, the layer norms trained with them, and the embeddings",
  ];
}

const percent = (ratio: number): string => `${Number((100 * ratio).toPrecision(3))} %`;
