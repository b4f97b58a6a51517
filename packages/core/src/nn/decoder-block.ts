import { add } from "../graph/ops/add.ts";
import type { Value } from "../graph/value.ts";
import { joinPath, type Scope } from "./scope.ts";
import type { SublayerSite } from "./sites/sublayer.ts";

/** A sublayer with the norm in front of it. */
interface Sublayer extends Pick<SublayerSite, "place" | "hidden"> {
  /** where adapters behind the sublayer have their place, below the block's own path */
  readonly site: string;
  readonly compute: (x: Value) => Value;
}

/**
 * x + f(norm(x)), a sublayer that is normalised in front (Xiong et al. 2020, arXiv:2002.04745, section 3), f's output as
 * the methods at this sublayer leave it.
 */
function preNorm(scope: Scope, x: Value, { site, place, hidden, compute }: Sublayer): Value {
  const y = scope.dropout(compute(x));
  const path = joinPath(scope.path, site);
  return add(x, scope.hooks.act("sublayer", { path, layer: scope.layer, place, x, y, normalize: undefined, hidden }));
}

interface BlockParts {
  readonly hidden: number;
  /** both with their norms */
  readonly attention: (x: Value) => Value;
  readonly feedForward: (x: Value) => Value;
}

/** h = x + attention(norm(x)), out = h + feed-forward(norm(h)).  x: [batch, tokens, hidden] -> the same */
export function decoderBlock(scope: Scope, x: Value, { hidden, attention, feedForward }: BlockParts): Value {
  const h = preNorm(scope, x, { site: "attention_adapters", place: "attention", hidden, compute: attention });
  return preNorm(scope, h, { site: "output_adapters", place: "feed-forward", hidden, compute: feedForward });
}
