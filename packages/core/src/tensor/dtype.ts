/** The element types that petl's graphs and files use; uint4 is in graphs alone, which see a file's bytes as pairs of them. */
const dtypes = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "uint4",
  "bool",
] as const;
export type DType = (typeof dtypes)[number];

/** Bytes of one element; of uint4 two lie in a byte, the first in its lower half. */
export const bytesOf: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  uint4: 0.5,
  bool: 1,
};

/** How each element type lies in host memory; half types keep their raw 16 bits. */
export interface HostArrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly float16: Uint16Array;
  readonly bfloat16: Uint16Array;
  readonly int64: BigInt64Array;
  readonly int32: Int32Array;
  readonly int16: Int16Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly uint4: Uint8Array;
  readonly bool: Uint8Array;
}

/** ONNX's number of each element type (TensorProto.DataType). */
export const onnxTypes: readonly (readonly [DType, number])[] = [
  ["float32", 1],
  ["uint8", 2],
  ["int8", 3],
  ["int16", 5],
  ["int32", 6],
  ["int64", 7],
  ["bool", 9],
  ["float16", 10],
  ["float64", 11],
  ["bfloat16", 16],
  ["uint4", 21],
];
