import type { DType } from "../tensor/dtype.ts";

/**
 * The element types that petl reads and writes, by safetensors' names, in the order in which the reference
 * implementation lays tensors out: most strictly aligned first (`Dtype` in safetensors/src/tensor.rs, descending).
 */
export const safetensorsTypes: readonly (readonly [string, DType])[] = [
  ["I64", "int64"],
  ["F64", "float64"],
  ["F32", "float32"],
  ["I32", "int32"],
  ["BF16", "bfloat16"],
  ["F16", "float16"],
  ["I16", "int16"],
  ["I8", "int8"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
];

/** The key of the header that holds texts instead of a tensor. */
export const metadataKey = "__metadata__";

/** The longest header that is read, a quarter of what the reference implementation reads: large models have 100 kB. */
export const maxHeaderLength = 25_000_000;

/** The most tensors of one file. */
export const mostTensors = 100_000;
