import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";
import { gatherElements } from "./gather-elements.ts";

/** x with values added to elements of its last axis.  x: [..., n], indices and updates: [..., k] -> [..., n] */
export const ScatterElements = defineOp({
  type: "ScatterElements",
  operands: 3,
  attributes: { axis: "int", reduction: "string" },
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  gradient: (dy, [, indices]) => [dy, undefined, gatherElements(dy, indices)],
});

/** x with values added to elements of its last axis. */
export const scatterElements = (x: Value, indices: Value, updates: Value): Value =>
  ScatterElements.of([x, indices, updates], { axis: -1, reduction: "add" });
