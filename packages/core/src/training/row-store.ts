/** Numbers of rows, kept from epoch to epoch. */
export interface RowStore {
  /** What was kept of a row; undefined where nothing was. */
  read(row: number): Promise<Float32Array | undefined>;
  /** Keeps what belongs to a row; a store that is full, or broken, keeps nothing more. */
  write(row: number, numbers: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/** Rows in memory, as many as fit into so many bytes. */
export function memoryStore(bytes: number): RowStore {
  const rows = new Map<number, Float32Array>();
  let left = bytes;
  return {
    read: async (row) => rows.get(row),
    async write(row, numbers) {
      if (numbers.byteLength > left || rows.has(row)) return;
      left -= numbers.byteLength;
      rows.set(row, numbers);
    },
    close: async () => rows.clear(),
  };
}
