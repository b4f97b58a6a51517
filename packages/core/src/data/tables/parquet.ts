import { type FileMetaData, parquetMetadata, parquetReadObjects } from "hyparquet";
import { InputError } from "../../errors.ts";
import { classNames } from "./class-names.ts";
import { exactNumber } from "./exact-number.ts";
import { type FileRanges, rangesOf } from "./file-ranges.ts";
import { checkBounds, readFooter } from "./parquet-bounds.ts";
import { codecs } from "./parquet-codecs.ts";
import { keysOf, type Table, table } from "./table.ts";

/**
 * Parquet, uncompressed or with Snappy, zstd, gzip, brotli or LZ4. 64-bit integers become numbers where a number holds
 * them, and numbers of classes the names that Hugging Face's metadata give them; -1, which stands for no class, is null.
 * @throws InputError: not a Parquet file, a codec that can't be read, no rows, more rows than the file can hold.
 */
export async function readParquet(name: string, bytes: Uint8Array): Promise<Table> {
  const opened = await refusing(name, async () => {
    const found = await openParquet(rangesOf(bytes));
    for await (const _ of checkBounds(found.metadata, found.file));
    return found;
  });
  return rowsBetween(name, opened, { rowStart: 0, rowEnd: Number(opened.metadata.num_rows) });
}

/** Awaited between two steps of long work, with the rows that are done of all. */
export type ParquetPause = (done: number, of: number) => Promise<void>;

/**
 * The same, some MB of rows at a time, with pauses in which a host hears what it is told. Of the file no more is in memory
 * than the columns of a group of rows. @throws what `pause` and `file` throw
 */
export async function* parquetParts(name: string, given: FileRanges, pause: ParquetPause): AsyncGenerator<Table> {
  const opened = await refusing(name, () => openParquet(given));
  const { file, metadata } = opened;
  const rows = Number(metadata.num_rows);
  const steps = checkBounds(metadata, file);
  while (!(await refusing(name, async () => (await steps.next()).done))) await pause(0, rows);
  for (const range of rowRanges(metadata)) {
    if (range.isNewGroup) opened.pieces.clear();
    yield await rowsBetween(name, opened, range);
    await pause(range.rowEnd, rows);
  }
}

interface OpenedParquet {
  readonly file: FileRanges;
  readonly metadata: FileMetaData;
  /** what was read of the file for the group of rows that is being read, by its place */
  readonly pieces: Map<string, Promise<ArrayBuffer>>;
}

async function openParquet(given: FileRanges): Promise<OpenedParquet> {
  const read = async (start: number, end: number) => {
    try {
      return await given.read(start, end);
    } catch (error) {
      throw new ReadFailure(error);
    }
  };
  const file = { size: given.size, read };
  const metadata = parquetMetadata(await readFooter(file), { geoparquet: false });
  return { file, metadata, pieces: new Map() };
}

/** That the file could not be read, which says nothing of what it holds. */
class ReadFailure extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super("a file that cannot be read");
    this.reason = reason;
  }
}

interface RowRange {
  readonly rowStart: number;
  readonly rowEnd: number;
  /** whether the rows before are of another group */
  readonly isNewGroup?: boolean;
}

/** Unpacked bytes that are made rows of at a time, and the fewest rows. */
const part = { bytes: 8e6, rows: 1_000 } as const;

/** Groups of rows, cut where they are large; not those with lists or structures, of which every cut would read the whole. */
function* rowRanges({ row_groups: groups }: FileMetaData): Iterable<RowRange> {
  let begin = 0;
  for (const { columns, num_rows, total_byte_size } of groups) {
    const [rows, bytes] = [Number(num_rows), Number(total_byte_size)];
    const isFlat = columns.every(({ meta_data }) => meta_data?.path_in_schema.length === 1);
    const most = isFlat && bytes > part.bytes ? Math.max(part.rows, Math.floor((rows * part.bytes) / bytes)) : rows;
    const [start, end] = [begin, begin + rows];
    for (; begin < end; begin = Math.min(end, begin + most))
      yield { rowStart: begin, rowEnd: Math.min(end, begin + most), isNewGroup: begin === start };
  }
}

async function rowsBetween(name: string, opened: OpenedParquet, { rowStart, rowEnd }: RowRange): Promise<Table> {
  const { metadata } = opened;
  const wanted = { file: piecesOf(opened), metadata, compressors: codecs, parsers, rowStart, rowEnd };
  const read = await refusing(name, () => parquetReadObjects(wanted));
  if (read.length === 0) throw new InputError(`${name} has no rows`);
  const names = namesOf(metadata);
  const rows = read.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, named(plain(value), names.get(key))])),
  );
  const numbers = Uint32Array.from(rows, (_, i) => rowStart + i + 1);
  return { ...table(name, keysOf(rows), rows, numbers, "row"), classes: names };
}

/** The file as hyparquet asks for it; what it asks for again, part after part of a group of rows, is read once. */
const piecesOf = ({ file, pieces }: OpenedParquet) => ({
  byteLength: file.size,
  slice(start: number, end: number = file.size): Promise<ArrayBuffer> {
    const place = `${start} ${end}`;
    const piece = pieces.get(place) ?? file.read(start, end);
    pieces.set(place, piece);
    return piece;
  },
});

async function refusing<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ReadFailure) throw error.reason;
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

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are no text, as those of a picture, stay bytes. */
function textOrBytes(bytes: Uint8Array | undefined): string | Uint8Array | undefined {
  try {
    return bytes && decoder.decode(bytes);
  } catch {
    return bytes?.slice();
  }
}

const parsers = { stringFromBytes: textOrBytes };

/** A value as JSON would have it: numbers for 64-bit integers, arrays for lists, in structures too; but for bytes. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return exactNumber(String(value));
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(Object.values(value), plain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
