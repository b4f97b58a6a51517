import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { cast } from "./cast.ts";
import { Expand } from "./expand.ts";
import { gather } from "./gather.ts";
import { reshape } from "./reshape.ts";

/** A table with rows added to it.  table: [rows, ...], indices: [..., 1] int64, updates: [..., ...] -> [rows, ...] */
export const ScatterND = defineOp({
  type: "ScatterND",
  operands: 3,
  attributes: { reduction: "string" },
  infer: ([table]) => [{ dtype: table.dtype, shape: table.shape }],
  gradient: (dy, [, indices]) => [dy, undefined, gather(dy, reshape(indices, indices.shape.slice(0, -1)))],
});

/** A table with rows added to it; a row that is named twice receives both. */
export const scatterNd = (table: Value, indices: Value, updates: Value): Value =>
  ScatterND.of([table, cast(indices, "int64"), updates], { reduction: "add" });

/**
 * What a value adds to which rows of a table of zeros: rows [..., 1] int64, updates [..., width]. Undefined where it is
 * made in any other way.
 */
export function addedRows({ source }: Value): { readonly rows: Value; readonly updates: Value } | undefined {
  if (source.kind !== "node" || source.node.operator !== ScatterND) return undefined;
  const [table, rows, updates] = source.node.inputs;
  return table && rows && updates && isZeros(table) ? { rows, updates } : undefined;
}

function isZeros({ source }: Value): boolean {
  if (source.kind !== "node" || source.node.operator !== Expand) return false;
  const filling = source.node.inputs[0]?.source;
  return filling?.kind === "constant" && filling.tensor.data.every((number) => Number(number) === 0);
}
