import { quote } from "../containers/json.ts";
import { type ProblemList, problemList } from "../containers/problem-list.ts";
import { InternalError } from "../errors.ts";
import { rowUnit } from "../tensor/block-format.ts";
import { dequantizeBlocks } from "../tensor/block-quantization.ts";
import { sizeOf } from "../tensor/host-tensor.ts";
import type { BaseTensor, QuantizedTensor } from "../tensor/quantized-tensor.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { transposedValues } from "../tensor/transposed-values.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Quantization } from "./quantization.ts";

/** The names of the three tensors that hold a quantised one. */
export const partNames = (name: string) => ({
  packed: `${name}_packed`,
  scales: `${name}_scale`,
  zeroPoints: `${name}_zero_point`,
});

/**
 * A checkpoint's tensors with each three that hold a matrix in blocks as that one matrix, under its own name.
 *
 * @param transposed whether the architecture keeps its matrices as [in, out]
 * @throws InputError with every part that is missing, or whose type or shape does not fit the others
 */
export function joinQuantized(
  tensors: ReadonlyMap<string, StoredTensor>,
  quantization: Quantization,
  transposed: boolean,
  place: string,
): ReadonlyMap<string, BaseTensor> {
  const problems = problemList(place);
  const joined = new Map<string, BaseTensor>();
  const parts = new Set<string>();
  const { packed: ending } = partNames("");
  for (const [packedName, packed] of tensors) {
    if (!packedName.endsWith(ending)) continue;
    const name = packedName.slice(0, -ending.length);
    const names = partNames(name);
    for (const part of Object.values(names)) parts.add(part);
    const [scales, zeroPoints] = [tensors.get(names.scales), tensors.get(names.zeroPoints)];
    if (!scales) problems.add(`tensor ${quote(names.scales)} is missing`);
    if (!zeroPoints) problems.add(`tensor ${quote(names.zeroPoints)} is missing`);
    if (tensors.has(name)) problems.add(`tensor ${quote(name)} is there twice, as it is and in blocks`);
    if (scales && zeroPoints)
      joined.set(name, checked({ name, transposed, packed, scales, zeroPoints }, quantization, problems));
  }
  problems.refuse();
  for (const [name, tensor] of tensors) if (!parts.has(name)) joined.set(name, tensor);
  return joined;
}

/** A quantised matrix of a checkpoint in float32, row by row of its own shape. */
export async function readQuantized(checkpoint: Checkpoint, tensor: QuantizedTensor): Promise<Float32Array> {
  const bytes = async ({ name }: StoredTensor) => {
    const { dtype, data } = await checkpoint.read(name);
    if (dtype !== "uint8") throw new InternalError(`"${name}" was checked to be uint8 and is ${dtype}`);
    return data;
  };
  const [packed, zeroPoints] = [await bytes(tensor.packed), await bytes(tensor.zeroPoints)];
  const scales = await checkpoint.readFloat32(tensor.scales.name);
  const held = dequantizeBlocks({ packed, scales, zeroPoints }, tensor);
  const [columns = 1, rows = 1] = tensor.shape;
  return tensor.transposed ? transposedValues(held, rows, columns) : held;
}

type Parts = Pick<QuantizedTensor, "name" | "transposed" | "packed" | "scales" | "zeroPoints">;

/** The matrix that three tensors hold, whose shape follows from the scales': [rows, blocks]. */
function checked(parts: Parts, { bits, block_size: blockSize }: Quantization, problems: ProblemList): QuantizedTensor {
  const format = { bits, blockSize };
  const { packed, scales, zeroPoints } = parts;
  const [rows = 0, blocks = 0] = scales.shape;
  const columns = blocks * blockSize;
  requireForm(scales, "float32", [rows, blocks], problems);
  requireForm(packed, "uint8", [rows, blocks, (blockSize * bits) / 8], problems);
  requireForm(zeroPoints, "uint8", [rows, (blocks * bits) / 8], problems);
  if (sizeOf(scales.shape) === 0 || columns % rowUnit(format) !== 0) {
    problems.add(
      `tensor ${quote(scales.name)}: its shape [${scales.shape.join(", ")}] is that of no matrix in ${bits} bits`,
    );
  }
  const shape = parts.transposed ? [columns, rows] : [rows, columns];
  return { ...parts, file: packed.file, shape, ...format };
}

function requireForm(tensor: StoredTensor, dtype: string, shape: readonly number[], problems: ProblemList): void {
  const [wanted, given] = [shape, tensor.shape].map((lengths) => `[${lengths.join(", ")}]`);
  if (tensor.dtype === dtype && given === wanted) return;
  problems.add(
    `tensor ${quote(tensor.name)} is ${tensor.dtype} ${given}; its matrix in blocks needs ${dtype} ${wanted}`,
  );
}
