import { sameType } from "../elementwise.ts";
import { defineOp } from "../operator.ts";
import { dims, entriesOf, type Value } from "../value.ts";

/** Running sums along an axis, each including its own element; from the end where `reverse` is 1. */
export const CumSum = defineOp({
  type: "CumSum",
  operands: 2,
  attributes: { reverse: "int" },
  infer: ([x]) => sameType(x),
  gradient: (dy, [, axis], _, { reverse }) => [runningSum(dy, axis, 1 - reverse), undefined],
  narrow: (axis, [, along]) => (entriesOf(along)[0] === axis ? undefined : [axis, undefined]),
});

/** Running sums along an axis counted from the front, each including its own element. */
export const cumSum = (x: Value, axis: number): Value => runningSum(x, dims([axis]), 0);

function runningSum(x: Value, axis: Value, reverse: number): Value {
  return CumSum.of([x, axis], { reverse });
}
