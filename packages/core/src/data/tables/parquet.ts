import { type FileMetaData, parquetMetadata, parquetReadObjects } from "hyparquet";
import { InputError } from "../../errors.ts";
import { classNames } from "./class-names.ts";
import { checkBounds, checkFooter } from "./parquet-bounds.ts";
import { codecs } from "./parquet-codecs.ts";
import { keysOf, type Table, table } from "./table.ts";

/**
 * Parquet, uncompressed or with Snappy, zstd, gzip, brotli or LZ4. 64-bit integers become numbers where a number holds
 * them, and numbers of classes the names that Hugging Face's metadata give them; -1, which stands for no class, is null.
 * @throws InputError: not a Parquet file, a codec that can't be read, no rows, more rows than the file can hold.
 */
export async function readParquet(name: string, bytes: Uint8Array): Promise<Table> {
  const file = Uint8Array.from(bytes).buffer;
  const { metadata, read } = await refusing(name, async () => {
    checkFooter(file);
    const metadata = parquetMetadata(file, { geoparquet: false });
    checkBounds(metadata, file);
    return { metadata, read: await parquetReadObjects({ file, metadata, compressors: codecs }) };
  });
  if (read.length === 0) throw new InputError(`${name} has no rows`);
  const names = namesOf(metadata);
  const rows = read.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, named(plain(value), names.get(key))])),
  );
  const numbers = Uint32Array.from(rows, (_, i) => i + 1);
  return { ...table(name, keysOf(rows), rows, numbers, "row"), classes: names };
}

async function refusing<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new InputError(
      `${name}: no Parquet file that can be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** The names of classes by column, where Hugging Face's datasets wrote the file. */
function namesOf({ key_value_metadata = [] }: FileMetaData): ReadonlyMap<string, readonly string[]> {
  const text = key_value_metadata.find(({ key }) => key === "huggingface")?.value;
  return text === undefined ? new Map() : classNames(text);
}

/** Numbers of classes by their names, in lists too. */
function named(value: unknown, names: readonly string[] | undefined): unknown {
  if (!names) return value;
  if (Array.isArray(value)) return value.map((item) => named(item, names));
  if (value === -1) return null;
  return typeof value === "number" ? (names[value] ?? value) : value;
}

/** A value as JSON would have it: numbers for 64-bit integers, arrays for lists, in structures too. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(Object.values(value), plain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
