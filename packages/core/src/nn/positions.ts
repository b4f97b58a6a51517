import { cumSum } from "../graph/ops/cum-sum.ts";
import { expand } from "../graph/ops/expand.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { sub } from "../graph/ops/sub.ts";
import { scalar, type Value } from "../graph/value.ts";
import { plus } from "../tensor/shape.ts";
import type { Scope } from "./scope.ts";

/**
 * Learned position vectors of an input's tokens, counted behind the virtual tokens, a site where methods may act:
 * [1, tokens, size].
 */
export function positions(scope: Scope, ids: Value, rows: number, size: number): Value {
  const { virtualTokens } = scope.hooks;
  const weight = scope.parameter("weight", [rows, size], "table");
  const tokens = ids.shape[1] ?? 0;
  const y = reshape(slice(weight, 0, virtualTokens, plus(tokens, virtualTokens)), [1, tokens, size]);
  const counted = sub(cumSum(expand(scalar(1, "int32"), [tokens]), 0), scalar(1 - virtualTokens, "int32"));
  const site = { path: scope.path, layer: scope.layer, y, weight, rows, size, factor: 1 };
  return scope.hooks.act("embedding", { ...site, ids: reshape(counted, [1, tokens]) });
}
