import { broadcast, type Shape, sameShape } from "../../tensor/shape.ts";
import { defineOp, illegal } from "../operator.ts";
import { dims, entriesOf, type Value } from "../value.ts";
import { sumTo } from "./reduce-sum.ts";

/** x repeated along its axes of length 1, and along new leading axes, up to a shape. */
export const Expand = defineOp({
  type: "Expand",
  operands: 2,
  infer: ([x, target]) => {
    const shape = entriesOf(target);
    const common = broadcast(x.shape, shape);
    if (!common || !sameShape(common, shape)) illegal("Expand", `cannot stretch to [${shape.join(", ")}]`, [x]);
    return [{ dtype: x.dtype, shape }];
  },
  gradient: (dy, [x]) => [sumTo(dy, x.shape), undefined],
  narrow: (axis, [x], output) => {
    const aligned = axis - (output.shape.length - x.shape.length);
    return [aligned >= 0 && x.shape[aligned] === output.shape[axis] ? aligned : undefined, axis];
  },
});

/** x repeated along its axes of length 1, and along new leading axes, up to a shape; x itself where it has it. */
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : Expand.of([x, dims(shape)], {});
