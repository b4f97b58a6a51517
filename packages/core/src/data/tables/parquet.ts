import { parquetReadObjects } from "hyparquet";
import { InputError } from "../../errors.ts";
import { keysOf, type Table, table } from "./table.ts";

/**
 * Parquet, uncompressed or Snappy. 64-bit integers become numbers where a number holds them.
 * @throws InputError: not a Parquet file, a codec that can't be read, no rows.
 */
export async function readParquet(name: string, bytes: Uint8Array): Promise<Table> {
  const copy = Uint8Array.from(bytes).buffer;
  const read = await parquetReadObjects({
    file: { byteLength: copy.byteLength, slice: (from, to) => copy.slice(from, to) },
  }).catch((error: unknown) => {
    throw new InputError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (read.length === 0) throw new InputError(`${name} has no rows`);
  const rows = read.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])));
  const numbers = Uint32Array.from(rows, (_, i) => i + 1);
  return table(name, keysOf(rows), rows, numbers, "row");
}

/** A value as JSON would have it: numbers for 64-bit integers, arrays for lists. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(Object.values(value), plain);
  return value;
}
