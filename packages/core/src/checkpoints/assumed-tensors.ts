import type { Task } from "../objectives/objectives.ts";
import { adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import { listSites } from "../peft/list-sites.ts";
import { type BlockFormat, rowUnit } from "../tensor/block-format.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/host-tensor.ts";
import type { BaseTensor, QuantizedTensor } from "../tensor/quantized-tensor.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { partNames } from "./quantized-tensors.ts";

/** How a checkpoint is taken to hold its numbers. */
interface AssumedForm {
  readonly dtype: DType;
  /** of the stack's linear layers; as all others where left out */
  readonly blocks?: BlockFormat | undefined;
}

/**
 * A base of which only the configuration is needed, as if its checkpoint lay there: every tensor of the model for a
 * task, one behind the other. Graphs of it can be looked at, not computed.
 */
export function withAssumedTensors(
  { tensors: _, ...base }: Base,
  goal: { readonly task: Task; readonly labels: number },
  { dtype, blocks }: AssumedForm,
): Base {
  const place = placing();
  const bare = { ...base, tensors: undefined };
  const { modelTensors } = adapt(bare, [], { ...goal, trainsHead: false });
  const linear = new Set(blocks ? listSites(bare, goal, "linear").map(({ path }) => `${path}.weight`) : []);
  const tensors = modelTensors.map(({ name, shape, layer }): readonly [string, BaseTensor] => {
    const held =
      blocks && layer !== undefined && linear.has(name) ? inBlocks(base, name, shape, blocks, place) : undefined;
    return [name, held ?? place(name, dtype, shape)];
  });
  return { ...bare, tensors: new Map(tensors) };
}

type Place = (name: string, dtype: DType, shape: readonly number[]) => StoredTensor;

/** Places tensors in a file, one behind the other. */
function placing(): Place {
  let end = 0;
  return (name, dtype, shape) => {
    const offset = end;
    const byteLength = bytesOf[dtype] * sizeOf(shape);
    end += byteLength;
    return { name, file: "model.safetensors", offset, byteLength, dtype, shape };
  };
}

/** A matrix in blocks; undefined where its rows are no whole number of them. */
function inBlocks(
  { model }: Pick<Base, "model">,
  name: string,
  shape: readonly number[],
  format: BlockFormat,
  place: Place,
): QuantizedTensor | undefined {
  const transposed = model.conventions.transposed ?? false;
  const [rows = 0, columns = 0] = transposed ? shape.toReversed() : shape;
  if (columns % rowUnit(format) !== 0) return undefined;
  const blocks = columns / format.blockSize;
  const names = partNames(name);
  const packed = place(names.packed, "uint8", [rows, blocks, (format.blockSize * format.bits) / 8]);
  const scales = place(names.scales, "float32", [rows, blocks]);
  const zeroPoints = place(names.zeroPoints, "uint8", [rows, (blocks * format.bits) / 8]);
  return { name, file: packed.file, shape, transposed, packed, scales, zeroPoints, ...format };
}
