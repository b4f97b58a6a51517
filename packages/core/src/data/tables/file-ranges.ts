/** A file whose bytes are read where they are needed. */
export interface FileRanges {
  readonly size: number;
  /** the bytes from one place to another, in a buffer of their own */
  read(start: number, end: number): Promise<ArrayBuffer>;
}

/** A file's bytes that are all there. */
export const rangesOf = (bytes: Uint8Array): FileRanges => ({
  size: bytes.length,
  read: async (start, end) => new Uint8Array(bytes.subarray(start, end)).buffer,
});
