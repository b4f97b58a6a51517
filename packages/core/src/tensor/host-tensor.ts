import { InternalError } from "../errors.ts";
import type { DType, HostArrays } from "./dtype.ts";

/** A tensor in host memory, row-major. */
export type HostTensor = {
  [D in DType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: HostArrays[D] };
}[DType];

/** Number of elements of a shape of known numbers; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** The bytes of a typed array, where they lie. */
export const rawBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export const float32 = (shape: readonly number[], data: Float32Array): HostTensor => ({
  dtype: "float32",
  shape,
  data,
});
/** The numbers of a tensor that holds float32. */
export function float32Of(tensor: HostTensor): Float32Array {
  if (tensor.dtype === "float32") return tensor.data;
  throw new InternalError(`a float32 tensor was expected, not ${tensor.dtype}`);
}

export const int32 = (shape: readonly number[], data: Int32Array): HostTensor => ({ dtype: "int32", shape, data });
