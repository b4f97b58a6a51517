import { add } from "../graph/ops/add.ts";
import type { Value } from "../graph/value.ts";
import { type Activation, activations } from "./activations.ts";
import { attention } from "./attention.ts";
import { layerNorm } from "./layer-norm.ts";
import { linear } from "./linear.ts";
import { joinPath, type Scope } from "./scope.ts";

/** The sizes of a block. */
interface BlockSizes {
  readonly hidden: number;
  readonly heads: number;
  readonly feedForward: number;
  readonly activation: Activation;
  readonly epsilon: number;
}

/** Where an architecture keeps the modules of a block: Hugging Face names below the block's own path. */
export interface BlockNames {
  readonly attention: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
  readonly up: string;
  readonly down: string;
  readonly norm: string;
  /** where adapters behind the two sublayers have their place */
  readonly attentionSite: string;
  readonly feedForwardSite: string;
}

/**
 * A transformer block that normalises behind each residual sum (Vaswani et al. 2017, arXiv:1706.03762, section 3.1):
 * h = LN(x + attention(x)), out = LN(h + W₂ act(W₁ h)).  x: [batch, tokens, hidden] -> the same
 */
export function block(scope: Scope, names: BlockNames, sizes: BlockSizes, x: Value, bias: Value): Value {
  const { hidden, heads, feedForward } = sizes;
  const project = (name: string, input: Value) => linear(scope.at(name), input, hidden, hidden);
  const context = attention(scope.at(names.attention), {
    query: project(names.query, x),
    key: project(names.key, x),
    value: project(names.value, x),
    bias,
    heads,
  });
  const attended = project(names.attentionOutput, context);
  const first = { place: "attention", site: names.attentionSite, norm: names.attentionNorm } as const;
  const h = residual(scope, first, sizes, x, attended);
  const inner = activations[sizes.activation](linear(scope.at(names.up), h, hidden, feedForward));
  const fed = linear(scope.at(names.down), inner, feedForward, hidden);
  return residual(scope, { place: "feed-forward", site: names.feedForwardSite, norm: names.norm }, sizes, h, fed);
}

/** Which sublayer of a block, and what its site and its norm are called. */
interface Sublayer {
  readonly place: "attention" | "feed-forward";
  readonly site: string;
  readonly norm: string;
}

/** LN(x + y), y as the methods at this sublayer leave it. */
function residual(
  scope: Scope,
  { place, site, norm }: Sublayer,
  { hidden, epsilon }: BlockSizes,
  x: Value,
  y: Value,
): Value {
  const normalize = (sum: Value) => layerNorm(scope.at(norm), sum, hidden, epsilon);
  const adapted = scope.hooks.act("sublayer", {
    path: joinPath(scope.path, site),
    layer: scope.layer,
    place,
    x,
    y: scope.dropout(y),
    normalize,
    hidden,
  });
  return normalize(add(adapted, x));
}
