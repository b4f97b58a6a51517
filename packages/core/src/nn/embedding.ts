import { gather } from "../graph/ops/gather.ts";
import { mul } from "../graph/ops/mul.ts";
import { scalar, type Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** A table looked up by id, times a factor; a site where methods may act.  ids: [batch, tokens] -> [batch, tokens, size] */
export function embedding(scope: Scope, ids: Value, rows: number, size: number, factor = 1): Value {
  const weight = scope.parameter("weight", [rows, size], "table");
  const found = gather(weight, ids);
  const y = factor === 1 ? found : mul(found, scalar(factor));
  return scope.hooks.act("embedding", { path: scope.path, layer: scope.layer, ids, y, weight, rows, size, factor });
}
