import type { Task } from "../objectives/objectives.ts";
import { adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/host-tensor.ts";
import type { BaseTensor } from "../tensor/quantized-tensor.ts";

/**
 * A base of which only the configuration is at hand, as if its checkpoint lay there: every tensor of the model for a
 * task, one behind the other, in one element type. Graphs of it can be looked at, not computed.
 */
export function withAssumedTensors(
  base: Base,
  goal: { readonly task: Task; readonly labels: number },
  dtype: DType,
): Base {
  let offset = 0;
  const tensors = new Map<string, BaseTensor>();
  for (const { name, shape } of adapt(base, [], { ...goal, trainsHead: false }).modelTensors) {
    const byteLength = bytesOf[dtype] * sizeOf(shape);
    tensors.set(name, { name, file: "model.safetensors", offset, byteLength, dtype, shape });
    offset += byteLength;
  }
  return { ...base, tensors };
}
