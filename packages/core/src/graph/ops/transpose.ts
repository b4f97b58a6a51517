import { defineOp } from "../operator.ts";
import type { Value } from "../value.ts";

/** Axes in another order: axis i of the output is axis perm[i] of x. */
export const Transpose = defineOp({
  type: "Transpose",
  operands: 1,
  attributes: { perm: "ints" },
  infer: ([x], { perm }) => [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis] ?? 1) }],
  gradient: (dy, _inputs, _outputs, { perm }) => [
    transpose(
      dy,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ],
  narrow: (axis, _inputs, _output, { perm }) => [perm[axis]],
});

/** The matrix that a value is the transpose of; undefined where it is none. */
export function untransposed({ source }: Value): Value | undefined {
  return source.kind === "node" && source.node.operator === Transpose && source.node.outputs[0]?.shape.length === 2
    ? source.node.inputs[0]
    : undefined;
}

/** Axes in another order: axis i of the output is axis perm[i] of x. */
export const transpose = (x: Value, perm: readonly number[]): Value => Transpose.of([x], { perm });
