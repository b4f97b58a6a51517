import { broadcast } from "../../tensor/shape.ts";
import { narrowBroadcast } from "../elementwise.ts";
import { defineOp, illegal } from "../operator.ts";
import { scalar, type Value } from "../value.ts";
import { sumTo } from "./reduce-sum.ts";

/** a where the condition holds, b elsewhere; shapes broadcast.  condition: bool */
export const Where = defineOp({
  type: "Where",
  operands: 3,
  infer: ([condition, a, b]) => {
    const branches = broadcast(a.shape, b.shape);
    const shape = branches && broadcast(condition.shape, branches);
    if (!shape || condition.dtype !== "bool" || a.dtype !== b.dtype) {
      illegal("Where", "takes a bool and two of one type, with shapes that broadcast", [condition, a, b]);
    }
    return [{ dtype: a.dtype, shape }];
  },
  gradient: (dy, [condition, a, b]) => {
    const zero = scalar(0, dy.dtype);
    return [undefined, sumTo(where(condition, dy, zero), a.shape), sumTo(where(condition, zero, dy), b.shape)];
  },
  narrow: narrowBroadcast,
});

/** a where the condition holds, b elsewhere; shapes broadcast.  condition: bool */
export const where = (condition: Value, a: Value, b: Value): Value => Where.of([condition, a, b], {});
