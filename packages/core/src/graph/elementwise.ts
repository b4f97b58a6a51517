import { broadcast } from "../tensor/shape.ts";
import { illegal } from "./operator.ts";
import type { TensorType, Value } from "./value.ts";

/** The output of an operator that works on each element alone. */
export function sameType(x: Value): readonly TensorType[] {
  return [{ dtype: x.dtype, shape: x.shape }];
}

/** The output of an operator that combines two tensors element by element. */
export function broadcastType(type: string, a: Value, b: Value, dtype = a.dtype): readonly TensorType[] {
  const shape = broadcast(a.shape, b.shape);
  if (!shape || a.dtype !== b.dtype) illegal(type, "operands must have one type and shapes that broadcast", [a, b]);
  return [{ dtype, shape }];
}

/** A range of an output's axis needs the same range of each operand's aligned axis, or a stretched axis whole. */
export function narrowBroadcast(axis: number, inputs: readonly Value[], output: Value): (number | undefined)[] {
  return inputs.map(({ shape }) => {
    const aligned = axis - (output.shape.length - shape.length);
    return aligned >= 0 && shape[aligned] === output.shape[axis] ? aligned : undefined;
  });
}
