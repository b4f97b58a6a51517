import { mul } from "../graph/ops/mul.ts";
import type { Value } from "../graph/value.ts";
import { type Activation, activations } from "./activations.ts";
import { linear } from "./linear.ts";
import type { Scope } from "./scope.ts";

interface GatedSizes {
  readonly hidden: number;
  readonly feedForward: number;
  readonly activation: Activation;
  readonly bias: boolean;
}

/** W_down (act(W_gate x) ⊙ W_up x), the gated feed-forward (Shazeer 2020, arXiv:2002.05202, section 2). */
export function gatedFeedForward(scope: Scope, x: Value, sizes: GatedSizes): Value {
  const { hidden, feedForward, activation, bias } = sizes;
  const gate = activations[activation](linear(scope.at("gate_proj"), x, hidden, feedForward, { bias }));
  const inner = mul(gate, linear(scope.at("up_proj"), x, hidden, feedForward, { bias }));
  return linear(scope.at("down_proj"), inner, feedForward, hidden, { bias });
}
