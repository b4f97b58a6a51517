import { gather } from "../graph/ops/gather.ts";
import type { Value } from "../graph/value.ts";
import type { Scope } from "./scope.ts";

/** A table looked up by id; a site where methods may act.  ids: [batch, tokens] -> [batch, tokens, size] */
export function embedding(scope: Scope, ids: Value, rows: number, size: number): Value {
  const weight = scope.parameter("weight", [rows, size]);
  return scope.hooks.embedding({ path: scope.path, ids, y: gather(weight, ids), weight, rows, size });
}
