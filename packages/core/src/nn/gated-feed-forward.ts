import { mul } from "../graph/ops/mul.ts";
import { slice } from "../graph/ops/slice.ts";
import type { Value } from "../graph/value.ts";
import { type Activation, activations } from "./activations.ts";
import { linear } from "./linear.ts";
import type { Scope } from "./scope.ts";

export interface GatedSizes {
  readonly hidden: number;
  readonly feedForward: number;
  readonly activation: Activation;
  readonly bias: boolean;
  /** whether gate and up are one linear layer, the gate first */
  readonly fused: boolean;
}

/** W_down (act(W_gate x) ⊙ W_up x), the gated feed-forward (Shazeer 2020, arXiv:2002.05202, section 2). */
export function gatedFeedForward(scope: Scope, x: Value, sizes: GatedSizes): Value {
  const { hidden, feedForward, activation, bias, fused } = sizes;
  const project = (name: string, size: number) => linear(scope.at(name), x, hidden, size, { bias });
  const whole = fused ? project("gate_up_proj", 2 * feedForward) : undefined;
  const gate = whole ? slice(whole, 2, 0, feedForward) : project("gate_proj", feedForward);
  const up = whole ? slice(whole, 2, feedForward, 2 * feedForward) : project("up_proj", feedForward);
  return linear(scope.at("down_proj"), mul(activations[activation](gate), up), feedForward, hidden, { bias });
}
