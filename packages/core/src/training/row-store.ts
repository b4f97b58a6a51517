/** What belongs to rows, as bytes, kept from epoch to epoch. */
export interface RowStore {
  /** What was kept of a row, its bytes at a multiple of four in their memory; undefined where nothing was. */
  read(row: number): Promise<Uint8Array | undefined>;
  /** Keeps what belongs to a row; a store that is full, or broken, keeps nothing more. */
  write(row: number, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Rows in memory, as many as fit into so many bytes. */
export function memoryStore(most: number): RowStore {
  const rows = new Map<number, Uint8Array>();
  let left = most;
  return {
    read: async (row) => rows.get(row),
    async write(row, bytes) {
      if (bytes.length > left || rows.has(row)) return;
      left -= bytes.length;
      rows.set(row, bytes);
    },
    close: async () => rows.clear(),
  };
}
