import { sizeOf } from "../tensor/host-tensor.ts";
import type { AdaptedModel } from "./adapt.ts";

/** How many numbers a model has, and how many of them are trained. */
export interface ParameterCounts {
  /** |Θ|: the base model, tied weights once, without the task's head */
  readonly base_parameters: number;
  /** |Φ| without the head */
  readonly trained_parameters: number;
  /** what the task's head adds to the base, trained or not */
  readonly head_parameters: number;
  /** |Φ| / |Θ| without the head */
  readonly trainable_ratio: number;
  /** the same with what is trained of the head in |Φ| */
  readonly trainable_ratio_with_head: number;
}

/** Counts a model's parameters; the configuration alone is enough. */
export function countParameters({ modelTensors, layout }: Pick<AdaptedModel, "modelTensors" | "layout">) {
  const base = total(modelTensors.filter(({ head }) => !head));
  const trained = total(layout.filter(({ part }) => part !== "head"));
  const trainedHead = total(layout.filter(({ part }) => part === "head"));
  return {
    base_parameters: base,
    trained_parameters: trained,
    head_parameters: total(modelTensors.filter(({ head }) => head)),
    trainable_ratio: trained / base,
    trainable_ratio_with_head: (trained + trainedHead) / base,
  } satisfies ParameterCounts;
}

const total = (tensors: readonly { readonly shape: readonly number[] }[]): number =>
  tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
