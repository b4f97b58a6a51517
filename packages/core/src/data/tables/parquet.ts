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
  const opened = await refusing(name, async () => {
    const { file, metadata } = openParquet(bytes);
    for (const _ of checkBounds(metadata, file));
    return { file, metadata };
  });
  return rowsBetween(name, opened, { rowStart: 0, rowEnd: Number(opened.metadata.num_rows) });
}

/** Awaited between two steps of long work, with the rows that are done of all. */
export type ParquetPause = (done: number, of: number) => Promise<void>;

/** The same, some MB of rows at a time, with pauses in which a host hears what it is told. @throws what `pause` throws */
export async function* parquetParts(name: string, bytes: Uint8Array, pause: ParquetPause): AsyncGenerator<Table> {
  const opened = await refusing(name, async () => openParquet(bytes));
  const { file, metadata } = opened;
  const rows = Number(metadata.num_rows);
  const steps = checkBounds(metadata, file);
  while (!(await refusing(name, async () => steps.next().done))) await pause(0, rows);
  for (const range of rangesOf(metadata)) {
    yield await rowsBetween(name, opened, range);
    await pause(range.rowEnd, rows);
  }
}

interface OpenedParquet {
  readonly file: ArrayBuffer;
  readonly metadata: FileMetaData;
}

function openParquet(bytes: Uint8Array): OpenedParquet {
  const file = new Uint8Array(bytes).buffer; // a copy: a Buffer may be a part of a larger one
  checkFooter(file);
  return { file, metadata: parquetMetadata(file, { geoparquet: false }) };
}

interface RowRange {
  readonly rowStart: number;
  readonly rowEnd: number;
}

/** Unpacked bytes that are made rows of at a time, and the fewest rows. */
const part = { bytes: 8e6, rows: 1_000 } as const;

/** Groups of rows, cut where they are large; not those with lists or structures, of which every cut would read the whole. */
function* rangesOf({ row_groups: groups }: FileMetaData): Iterable<RowRange> {
  let begin = 0;
  for (const { columns, num_rows, total_byte_size } of groups) {
    const [rows, bytes] = [Number(num_rows), Number(total_byte_size)];
    const isFlat = columns.every(({ meta_data }) => meta_data?.path_in_schema.length === 1);
    const most = isFlat && bytes > part.bytes ? Math.max(part.rows, Math.floor((rows * part.bytes) / bytes)) : rows;
    const end = begin + rows;
    for (; begin < end; begin = Math.min(end, begin + most))
      yield { rowStart: begin, rowEnd: Math.min(end, begin + most) };
  }
}

async function rowsBetween(name: string, { file, metadata }: OpenedParquet, range: RowRange): Promise<Table> {
  const read = await refusing(name, () => parquetReadObjects({ file, metadata, compressors: codecs, ...range }));
  if (read.length === 0) throw new InputError(`${name} has no rows`);
  const names = namesOf(metadata);
  const rows = read.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, named(plain(value), names.get(key))])),
  );
  const numbers = Uint32Array.from(rows, (_, i) => range.rowStart + i + 1);
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
