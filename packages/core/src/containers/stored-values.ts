import { InputError } from "../errors.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { float32FromBfloat16, float32FromFloat16 } from "../tensor/half.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { type ByteSource, readBytes } from "./folder.ts";
import { quote } from "./json.ts";

/** Reads a tensor of `source` (little-endian, row-major) into host memory. */
export async function readTensor(source: ByteSource, stored: StoredTensor): Promise<HostTensor> {
  const { dtype, shape, offset, byteLength } = stored;
  return hostTensor(dtype, shape, aligned(await readBytes(source, offset, byteLength), bytesOf[dtype]));
}

/**
 * Reads a tensor of float16, bfloat16 or float32 as float32, exactly; float64 is rounded to nearest.
 *
 * @throws InputError where the tensor holds integers or truth values
 */
export async function readFloat32(source: ByteSource, stored: StoredTensor): Promise<Float32Array> {
  const { dtype, data } = await readTensor(source, stored);
  switch (dtype) {
    case "float32":
      return data;
    case "float16":
      return float32FromFloat16(data);
    case "bfloat16":
      return float32FromBfloat16(data);
    case "float64":
      return new Float32Array(data);
    default:
      throw new InputError(`${source.name}: tensor ${quote(stored.name)} holds ${dtype}; a float type is needed`);
  }
}

/** A view of the bytes as the dtype's array; every platform that runs JavaScript engines of today is little-endian. */
function hostTensor(dtype: StoredTensor["dtype"], shape: readonly number[], bytes: Uint8Array): HostTensor {
  const { buffer, byteOffset } = bytes;
  const length = bytes.length / bytesOf[dtype];
  switch (dtype) {
    case "float32":
      return { dtype, shape, data: new Float32Array(buffer, byteOffset, length) };
    case "float64":
      return { dtype, shape, data: new Float64Array(buffer, byteOffset, length) };
    case "float16":
    case "bfloat16":
      return { dtype, shape, data: new Uint16Array(buffer, byteOffset, length) };
    case "int64":
      return { dtype, shape, data: new BigInt64Array(buffer, byteOffset, length) };
    case "int32":
      return { dtype, shape, data: new Int32Array(buffer, byteOffset, length) };
    case "int16":
      return { dtype, shape, data: new Int16Array(buffer, byteOffset, length) };
    case "int8":
      return { dtype, shape, data: new Int8Array(buffer, byteOffset, length) };
    case "uint8":
    case "uint4":
    case "bool":
      return { dtype, shape, data: new Uint8Array(buffer, byteOffset, length) };
  }
}

/** The same bytes where a typed array may begin; a host's buffer may lie anywhere in a pool. */
function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
  return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
}
