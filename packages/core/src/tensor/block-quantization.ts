import { InternalError } from "../errors.ts";
import { type BlockFormat, rowUnit } from "./block-format.ts";

/** A matrix in blocks: w ≈ (q − z) s. */
interface QuantizedBlocks {
  /** q, `bits` bits each, row by row, the first of a byte in its lowest bits */
  readonly packed: Uint8Array;
  /** s, one for each block */
  readonly scales: Float32Array;
  /** z, one for each block, packed as q is */
  readonly zeroPoints: Uint8Array;
}

/**
 * Rounds each weight to the nearest of 2^bits values that lie evenly between the smallest and the largest weight of its
 * block, 0 among them: s = (max − min) / (2^bits − 1), z = round(−min / s), q = round(w / s) + z. So |w − ŵ| ≤ s / 2.
 * The scheme of Jacob et al. 2017 (arXiv:1712.05877, section 2.1) for blocks, in the layout of ONNX Runtime's MatMulNBits.
 *
 * @param columns a multiple of rowUnit; the matrix is [rows, columns], row by row
 */
export function quantizeBlocks(weights: Float32Array, columns: number, format: BlockFormat): QuantizedBlocks {
  const { bits, blockSize } = format;
  if (columns % rowUnit(format) !== 0) throw new InternalError(`rows of ${columns} do not fill whole bytes`);
  const { scales, zeros, zeroPoints } = blockSteps(weights, format);
  const packed = new Uint8Array((weights.length * bits) / 8);
  const largest = 2 ** bits - 1;
  for (const [block, scale] of scales.entries()) {
    const zero = zeros[block] ?? 0;
    for (let at = block * blockSize; at < (block + 1) * blockSize; at++) {
      const steps = scale === 0 ? 0 : Math.round((weights[at] ?? 0) / scale) + zero;
      put(packed, bits, at, Math.max(0, Math.min(largest, steps)));
    }
  }
  return { packed, scales, zeroPoints };
}

/** What blocks are rounded with: s, and z as whole numbers and packed. */
export function blockSteps(weights: Float32Array, { bits, blockSize }: BlockFormat) {
  const largest = 2 ** bits - 1;
  const scales = new Float32Array(weights.length / blockSize);
  const zeros = new Uint8Array(scales.length);
  const zeroPoints = new Uint8Array((scales.length * bits) / 8);
  for (let block = 0; block < scales.length; block++) {
    const { min, max } = rangeOf(weights, block * blockSize, (block + 1) * blockSize);
    const scale = Math.fround(max / largest - min / largest);
    scales[block] = scale;
    zeros[block] = scale === 0 ? 0 : Math.min(largest, Math.round(-min / scale));
    put(zeroPoints, bits, block, zeros[block] ?? 0);
  }
  return { scales, zeros, zeroPoints };
}

/** ŵ = (q − z) s of every weight, row by row. */
export function dequantizeBlocks(blocks: QuantizedBlocks, { bits, blockSize }: BlockFormat): Float32Array {
  const { packed, scales, zeroPoints } = blocks;
  const weights = new Float32Array(scales.length * blockSize);
  for (const [block, scale] of scales.entries()) {
    const zero = take(zeroPoints, bits, block);
    for (let at = block * blockSize; at < (block + 1) * blockSize; at++) {
      weights[at] = (take(packed, bits, at) - zero) * scale;
    }
  }
  return weights;
}

/** The smallest and the largest of a block, 0 included. */
function rangeOf(weights: Float32Array, start: number, end: number): { readonly min: number; readonly max: number } {
  let [min, max] = [0, 0];
  for (let at = start; at < end; at++) {
    const weight = weights[at] ?? 0;
    if (weight < min) min = weight;
    if (weight > max) max = weight;
  }
  return { min, max };
}

/** Writes a number of so many bits where none was written yet. */
function put(bytes: Uint8Array, bits: BlockFormat["bits"], at: number, value: number): void {
  if (bits === 8) bytes[at] = value;
  else bytes[at >> 1] = (bytes[at >> 1] ?? 0) | (value << (4 * (at & 1)));
}

const take = (bytes: Uint8Array, bits: BlockFormat["bits"], at: number): number =>
  bits === 8 ? (bytes[at] ?? 0) : ((bytes[at >> 1] ?? 0) >> (4 * (at & 1))) & 15;
