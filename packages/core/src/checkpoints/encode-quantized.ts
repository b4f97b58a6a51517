import { readText } from "../containers/folder.ts";
import { withFields } from "../containers/json.ts";
import { encodeSafetensors, type SafetensorsEntry } from "../containers/safetensors-writer.ts";
import { InputError } from "../errors.ts";
import { labelCount, taskOf } from "../models/models.ts";
import { headlessTask, outputsFor } from "../objectives/objectives.ts";
import { findTensor } from "../peft/base.ts";
import { listSites } from "../peft/list-sites.ts";
import { type BlockFormat, blockSizes, rowUnit } from "../tensor/block-format.ts";
import { blockSteps, dequantizeBlocks, quantizeBlocks } from "../tensor/block-quantization.ts";
import { rawBytes } from "../tensor/host-tensor.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { transposedValues } from "../tensor/transposed-values.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { HfModel } from "./hf-model.ts";
import { type Quantization, writeQuantization } from "./quantization.ts";
import { partNames } from "./quantized-tensors.ts";

/** A base whose matrices are to be written in blocks of few bits. */
export interface QuantizedFiles {
  /** paths of the linear layers that are quantised */
  readonly layers: readonly string[];
  /** paths of those that stay as they are, since their rows are no whole number of blocks */
  readonly left: readonly string[];
  /** model.safetensors in chunks of a tensor each, made when they are asked for */
  readonly weights: AsyncGenerator<Uint8Array, void, undefined>;
  /** Once all weights were written: what config.json says of them, and its text. */
  config(): Promise<{ readonly quantization: Quantization; readonly text: string }>;
}

/**
 * The base with the linear layers of its stack in blocks of 4 or 8 bits; embeddings, norms, biases, pooler and head keep
 * their bits. One tensor is in memory at a time.
 *
 * @throws InputError where the base is quantised already, or nothing of it can be
 */
export function encodeQuantized(base: HfModel, format: BlockFormat): QuantizedFiles {
  const { checkpoint, quantization, name } = base;
  if (!checkpoint) throw new InputError(`${name}: its weights are needed, but only the configuration was read`);
  if (quantization)
    throw new InputError(`${name} is held in ${quantization.bits} bits already; give the base before that`);
  const { quantized, left } = chosenLayers(base, checkpoint, format);
  const chosen = new Map(quantized.map(({ tensor }) => [tensor.name, tensor]));
  const squares = { error: 0, weight: 0 };
  const entries = [...checkpoint.tensors.values()].flatMap((tensor) =>
    chosen.has(tensor.name) ? quantizedEntries(base, tensor, format, squares) : [copiedEntry(checkpoint, tensor)],
  );
  return {
    layers: quantized.map(({ path }) => path),
    left,
    weights: encodeSafetensors(entries),
    async config() {
      const relative_error = squares.weight === 0 ? 0 : Math.sqrt(squares.error / squares.weight);
      const written = { bits: format.bits, block_size: format.blockSize, relative_error };
      const own = await readText(base.folder, "config.json");
      const fields = { quantization_config: writeQuantization(written) };
      return { quantization: written, text: withFields(own, `${name}: config.json`, fields) };
    },
  };
}

interface Chosen {
  readonly quantized: readonly { readonly path: string; readonly tensor: StoredTensor }[];
  readonly left: readonly string[];
}

/** The linear layers of the stack, those first whose rows are a whole number of blocks. */
function chosenLayers(base: HfModel, { tensors }: Checkpoint, format: BlockFormat): Chosen {
  const { model, name } = base;
  const task = taskOf(base.config) ?? headlessTask;
  const linear = listSites(base, { task, labels: outputsFor(task, labelCount(base.config)) }, "linear");
  const found = linear.flatMap(({ path, layer }) => {
    if (layer === undefined) return [];
    const tensor = findTensor({ tensors, model }, `${path}.weight`);
    return tensor ? [{ path, tensor }] : [];
  });
  const fits = (at: BlockFormat) => found.filter(({ tensor }) => rowsOf(base, tensor).columns % rowUnit(at) === 0);
  const quantized = fits(format);
  if (quantized.length === 0) {
    const possible = blockSizes.filter((blockSize) => fits({ ...format, blockSize }).length > 0);
    const way = possible.length > 0 ? `possible blocks: ${possible.join(", ")}` : "nor is it of any other block";
    throw new InputError(
      `${name}: no linear layer's input is a multiple of ${rowUnit(format)}, as ${format.bits} bits in blocks of ` +
        `${format.blockSize} need it; ${way}`,
    );
  }
  return { quantized, left: found.filter((each) => !quantized.includes(each)).map(({ path }) => path) };
}

/** A layer's weights as [out, in], of which each row is cut into blocks. */
function rowsOf({ model }: Pick<HfModel, "model">, { shape: [first = 0, second = 0] }: Pick<StoredTensor, "shape">) {
  if (!model.conventions.transposed) return { rows: first, columns: second, held: (weights: Float32Array) => weights };
  return {
    rows: second,
    columns: first,
    held: (weights: Float32Array) => transposedValues(weights, first, second),
  };
}

/** The three tensors of a matrix in blocks, each made from the matrix when its turn has come, so that none has to wait. */
function quantizedEntries(
  base: HfModel,
  { name, shape }: StoredTensor,
  format: BlockFormat,
  squares: { error: number; weight: number },
): readonly SafetensorsEntry[] {
  const { bits, blockSize } = format;
  const { rows, columns, held } = rowsOf(base, { shape });
  const blocks = columns / blockSize;
  const names = partNames(name);
  const read = async () => held(finite(await base.read(name), base.name, name));
  const packed = async () => {
    const weights = await read();
    const parts = quantizeBlocks(weights, columns, format);
    for (const [at, rounded] of dequantizeBlocks(parts, format).entries()) {
      const weight = weights[at] ?? 0;
      squares.error += (weight - rounded) ** 2;
      squares.weight += weight ** 2;
    }
    return parts.packed;
  };
  const scales = async () => rawBytes(blockSteps(await read(), format).scales);
  const zeroPoints = async () => blockSteps(await read(), format).zeroPoints;
  return [
    { name: names.packed, dtype: "uint8", shape: [rows, blocks, (blockSize * bits) / 8], bytes: packed },
    { name: names.scales, dtype: "float32", shape: [rows, blocks], bytes: scales },
    { name: names.zeroPoints, dtype: "uint8", shape: [rows, (blocks * bits) / 8], bytes: zeroPoints },
  ];
}

function finite(weights: Float32Array, folder: string, name: string): Float32Array {
  const strange = weights.find((weight) => !Number.isFinite(weight));
  if (strange === undefined) return weights;
  throw new InputError(`${folder}: "${name}" holds ${strange}, which no block of weights can be rounded with`);
}

const copiedEntry = (checkpoint: Checkpoint, { name, dtype, shape }: StoredTensor): SafetensorsEntry => ({
  name,
  dtype,
  shape,
  bytes: async () => rawBytes((await checkpoint.read(name)).data),
});
