import { add } from "../graph/ops/add.ts";
import type { Value } from "../graph/value.ts";
import { joinPath, type Scope } from "./scope.ts";
import type { SublayerSite } from "./sites.ts";

interface PreNormSublayer extends Pick<SublayerSite, "place" | "hidden"> {
  /** where adapters behind the sublayer have their place, below the block's own path */
  readonly site: string;
  /** the sublayer with the layer norm in front of it */
  readonly compute: (x: Value) => Value;
}

/**
 * x + f(norm(x)), a sublayer that is normalised in front (Xiong et al. 2020, arXiv:2002.04745, section 3), f's output as
 * the methods at this sublayer leave it.
 */
export function preNorm(scope: Scope, x: Value, { site, place, hidden, compute }: PreNormSublayer): Value {
  const y = scope.dropout(compute(x));
  const path = joinPath(scope.path, site);
  return add(x, scope.hooks.sublayer({ path, place, x, y, normalize: undefined, hidden }));
}
