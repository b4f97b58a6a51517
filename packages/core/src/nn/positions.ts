import { slice } from "../graph/ops/slice.ts";
import type { Value } from "../graph/value.ts";
import { plus } from "../tensor/shape.ts";
import type { Scope } from "./scope.ts";

/** Learned position vectors of an input's tokens, counted behind the virtual tokens: [tokens, size]. */
export function positions(scope: Scope, ids: Value, rows: number, size: number): Value {
  const { virtualTokens } = scope.hooks;
  const table = scope.parameter("weight", [rows, size], "table");
  return slice(table, 0, virtualTokens, plus(ids.shape[1] ?? 0, virtualTokens));
}
