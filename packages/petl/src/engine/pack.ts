import { type HeldMove, InternalError, type Tensors } from "@petl/core/engine";
import { type Packed, type SentType, sentTypes } from "./messages.ts";

type Tensor = Tensors[string];

/** Buffers are made in steps of this many bytes, so that a batch of longer rows than the last still fits. */
const granule = 2 ** 20;

/**
 * Copies tensors into one buffer, which can then be transferred: `spare` where it is large enough, a fresh one otherwise.
 * Sending views as they are would copy the whole buffers behind them: all of Φ for each of its tensors.
 */
export function pack(tensors: Tensors, spare?: ArrayBuffer): Packed {
  let size = 0;
  const places = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const offset = size;
    size += Math.ceil(data.byteLength / 8) * 8;
    return { data, placed: { name, dtype: sentType(dtype), shape, offset, length: data.length } };
  });
  const buffer = spare && spare.byteLength >= size ? spare : new ArrayBuffer(Math.ceil(size / granule) * granule);
  const bytes = new Uint8Array(buffer);
  for (const { data, placed } of places) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), placed.offset);
  }
  return { buffer, tensors: places.map(({ placed }) => placed) };
}

/** The tensors as views of the one buffer. */
export function unpack({ buffer, tensors }: Packed): Tensors {
  return Object.fromEntries(
    tensors.map(({ name, dtype, shape, offset, length }) => [name, view(dtype, shape, buffer, offset, length)]),
  );
}

function view(dtype: SentType, shape: readonly number[], buffer: ArrayBuffer, offset: number, length: number): Tensor {
  switch (dtype) {
    case "float32":
      return { dtype, shape, data: new Float32Array(buffer, offset, length) };
    case "float64":
      return { dtype, shape, data: new Float64Array(buffer, offset, length) };
    case "int64":
      return { dtype, shape, data: new BigInt64Array(buffer, offset, length) };
    case "int32":
      return { dtype, shape, data: new Int32Array(buffer, offset, length) };
    case "bool":
      return { dtype, shape, data: new Uint8Array(buffer, offset, length) };
  }
}

function sentType(dtype: Tensor["dtype"]): SentType {
  const known = sentTypes.find((name) => name === dtype);
  if (known) return known;
  throw new InternalError(`tensors of type ${dtype} do not cross between threads`);
}

/** The buffers behind arrays, each once, for a transfer. */
export function distinctBuffers(arrays: readonly { readonly buffer: ArrayBufferLike }[]): ArrayBuffer[] {
  const buffers = new Set(arrays.map(({ buffer }) => buffer));
  return [...buffers].filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer);
}

const packedMoves = new WeakMap<readonly HeldMove[], Float64Array>();

/** Six numbers a move, packed once for a list: a message copies one array sooner than thousands of objects. */
export function packMoves(moves: readonly HeldMove[]): Float64Array {
  const numbers = ({ pieces, length, from, to }: HeldMove) => [
    pieces,
    length,
    ...[from.start, from.step, to.start, to.step],
  ];
  const packed = packedMoves.get(moves) ?? Float64Array.from(moves.flatMap(numbers));
  packedMoves.set(moves, packed);
  return packed;
}

export function unpackMoves(packed: Float64Array): readonly HeldMove[] {
  return Array.from({ length: packed.length / 6 }, (_, at) => {
    const [pieces = 0, length = 0, fromStart = 0, fromStep = 0, toStart = 0, toStep = 0] = packed.subarray(6 * at);
    return { pieces, length, from: { start: fromStart, step: fromStep }, to: { start: toStart, step: toStep } };
  });
}
