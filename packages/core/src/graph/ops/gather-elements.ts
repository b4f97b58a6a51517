import { defineOp } from "../operator.ts";
import { scalar, type Value } from "../value.ts";
import { expand } from "./expand.ts";
import { scatterElements } from "./scatter-elements.ts";

/** One element of each row of the last axis, or several.  x: [..., n], indices: [..., k] -> [..., k] */
export const GatherElements = defineOp({
  type: "GatherElements",
  operands: 2,
  attributes: { axis: "int" },
  infer: ([x, indices]) => [{ dtype: x.dtype, shape: indices.shape }],
  gradient: (dy, [x, indices]) => [scatterElements(expand(scalar(0, dy.dtype), x.shape), indices, dy), undefined],
  narrow: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, axis]),
});

/** One element of each row of the last axis, or several.  x: [..., n], indices: [..., k] -> [..., k] */
export const gatherElements = (x: Value, indices: Value): Value => GatherElements.of([x, indices], { axis: -1 });
