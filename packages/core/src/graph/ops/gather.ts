import { defineOp } from "../operator.ts";
import { scalar, type Value } from "../value.ts";
import { Cast, cast } from "./cast.ts";
import { expand } from "./expand.ts";
import { reshape } from "./reshape.ts";
import { scatterNd } from "./scatter-nd.ts";

/** Rows of a table.  table: [rows, ...], indices: [...] integers -> [...indices, ...] */
export const Gather = defineOp({
  type: "Gather",
  operands: 2,
  attributes: { axis: "int" },
  infer: ([table, indices]) => [{ dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] }],
  gradient: (dy, [table, indices]) => [
    scatterNd(expand(scalar(0, dy.dtype), table.shape), reshape(indices, [...indices.shape, 1]), dy),
    undefined,
  ],
  narrow: (axis, [, indices]) => (axis < indices.shape.length ? [undefined, axis] : undefined),
});

/**
 * Rows of a table; of one that is read in another element type than it is stored in, only they are converted.
 * table: [rows, ...], indices: [...] integers -> [...indices, ...]
 */
export function gather(table: Value, indices: Value): Value {
  const { source } = table;
  const stored = source.kind === "node" && source.node.operator === Cast ? source.node.inputs[0] : undefined;
  if (stored?.source.kind === "weight") return cast(gather(stored, indices), table.dtype);
  return Gather.of([table, indices], { axis: 0 });
}
