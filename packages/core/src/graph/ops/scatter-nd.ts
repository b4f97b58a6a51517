import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { cast } from "./cast.ts";
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
