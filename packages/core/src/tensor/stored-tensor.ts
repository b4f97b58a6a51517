import type { DType } from "./dtype.ts";

/** A tensor that lies in a file; a graph's frozen weight points at it. */
export interface StoredTensor {
  readonly name: string;
  /** The file's plain name in its folder. */
  readonly file: string;
  /** Bytes from the file's start to the tensor's first byte. */
  readonly offset: number;
  readonly byteLength: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
}
