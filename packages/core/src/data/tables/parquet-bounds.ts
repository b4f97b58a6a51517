import type { ColumnMetaData, FileMetaData } from "hyparquet";
import { parquetSchema } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import { crc32 } from "../../containers/checksums.ts";
import type { FileRanges } from "./file-ranges.ts";
import { codecs } from "./parquet-codecs.ts";
import { walkStructure } from "./thrift.ts";

/** What a file of so many bytes may hold: a page of equal values is short, but no rows are free. */
const most = { rows: 1, values: 8, unpacked: 40, fixedRows: 10_000, fixedUnpacked: 40e6, columns: 10_000 } as const;

type Header = ReturnType<typeof parquetHeader>;
interface Levels {
  readonly repetition: number;
  readonly definition: number;
}

/**
 * The footer, whose length stands before the last four bytes, with these; it is walked over before anything is made of it.
 * @throws Error saying which bound is passed
 */
export async function readFooter(file: FileRanges): Promise<ArrayBuffer> {
  const end = file.size - 8;
  const length = end < 0 ? 0 : new DataView(await file.read(end, file.size)).getUint32(0, true);
  if (length === 0 || length > end) throw new Error(`${file.size} bytes without the footer of Parquet`);
  const footer = await file.read(end - length, file.size);
  walkStructure(new DataView(footer, 0, length), 0);
  return footer;
}

/**
 * Walks over all pages of a Parquet file before anything of it is unpacked or made, in steps: rows, values, unpacked bytes
 * and run lengths that its bytes cannot hold would keep the reader busy for minutes.
 * @throws Error saying which bound is passed
 */
export async function* checkBounds(metadata: FileMetaData, file: FileRanges): AsyncGenerator<undefined> {
  const { size } = file;
  const rows = Number(metadata.num_rows);
  if (rows > most.fixedRows + most.rows * size) throw new Error(`${rows} rows in ${size} bytes`);
  const grouped = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (grouped !== rows) throw new Error(`${rows} rows, and its groups hold ${grouped}`);
  checkSchema(metadata);
  const tree = parquetSchema(metadata);
  const chunks = metadata.row_groups.flatMap(({ columns }) => columns.flatMap(({ meta_data }) => meta_data ?? []));
  if (chunks.length > most.columns) throw new Error(`${chunks.length} pieces of columns`);
  let unpacked = 0;
  for (const chunk of chunks) {
    for (const { header } of pagesOf(chunk, await bytesOf(chunk, file))) unpacked += sizeOf(header, size);
    yield;
  }
  if (unpacked > Math.max(most.fixedUnpacked, most.unpacked * size))
    throw new Error(`${size} bytes unpack to ${unpacked}`);
  for (const chunk of chunks) {
    const path = getTreePath(tree, chunk.path_in_schema);
    const levels = { repetition: getMaxRepetitionLevel(path), definition: getMaxDefinitionLevel(path) };
    for (const { header, bytes } of pagesOf(chunk, await bytesOf(chunk, file))) {
      if (header.crc !== undefined && header.crc >>> 0 !== crc32(bytes))
        throw new Error("a page is damaged: its checksum is another");
      checkRuns(header, bytes, chunk, levels);
      yield;
    }
  }
}

/** Every element but the root is a child of one: a count below zero would lead back. */
function checkSchema({ schema }: FileMetaData): void {
  const counts = schema.map(({ num_children = 0 }) => num_children);
  const wrong = counts.find((count) => !(count >= 0 && count < schema.length));
  if (wrong !== undefined) throw new Error(`a column of ${wrong} columns, where the schema has ${schema.length}`);
  const sum = counts.reduce((all, count) => all + count, 0);
  if (sum !== schema.length - 1) throw new Error(`a schema of ${schema.length} columns, whose parts are ${sum}`);
}

interface Page {
  readonly header: Header;
  readonly bytes: Uint8Array;
}

async function bytesOf(chunk: ColumnMetaData, file: FileRanges): Promise<ArrayBuffer> {
  const begin = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const length = Number(chunk.total_compressed_size);
  if (begin < 0 || length < 0 || begin + length > file.size) throw new Error("a column lies outside of the file");
  return file.read(begin, begin + length);
}

/** The pages of a piece of a column, as they stand in the file. */
function* pagesOf(chunk: ColumnMetaData, piece: ArrayBuffer): Iterable<Page> {
  const length = piece.byteLength;
  const reader = { view: new DataView(piece), offset: 0 };
  let values = 0;
  while (reader.offset < length - 1 && values < Number(chunk.num_values)) {
    walkStructure(reader.view, reader.offset);
    const header = parquetHeader(reader);
    const size = header.compressed_page_size;
    if (!(size >= 0 && reader.offset + size <= length)) throw new Error("a page ends outside of its column");
    yield { header, bytes: new Uint8Array(piece, reader.offset, size) };
    reader.offset += size;
    values += header.dictionary_page_header ? 0 : countOf(header);
  }
}

const countOf = ({ data_page_header: one, data_page_header_v2: two, dictionary_page_header: words }: Header): number =>
  one?.num_values ?? two?.num_values ?? words?.num_values ?? 0;

function sizeOf(header: Header, fileSize: number): number {
  const [size, count] = [Number(header.uncompressed_page_size), countOf(header)];
  if (!(size >= 0)) throw new Error(`a page of ${size} bytes`);
  if (!(count >= 0 && count <= most.fixedRows + most.values * fileSize)) throw new Error(`${count} values in a page`);
  return size + count;
}

function checkRuns(header: Header, bytes: Uint8Array, chunk: ColumnMetaData, levels: Levels): void {
  const page = header.data_page_header;
  if (page) {
    const text = decompressPage(bytes, header.uncompressed_page_size, chunk.codec, codecs);
    const reader = { view: viewOf(text), offset: 0 };
    for (const level of [levels.repetition, levels.definition])
      if (level > 0) sizedRuns(reader, bitsOf(level), page.num_values);
    if (page.encoding?.endsWith("DICTIONARY")) valueRuns(reader, page.num_values);
    else if (page.encoding === "RLE") sizedRuns(reader, 1, page.num_values);
    return;
  }
  const second = header.data_page_header_v2;
  if (!second) return;
  const front = second.repetition_levels_byte_length + second.definition_levels_byte_length;
  if (
    !(second.repetition_levels_byte_length >= 0 && second.definition_levels_byte_length >= 0 && front <= bytes.length)
  )
    throw new Error("levels end outside of their page");
  const view = viewOf(bytes);
  const repetition = { view, offset: 0 };
  if (levels.repetition > 0)
    runs(repetition, bitsOf(levels.repetition), second.num_values, second.repetition_levels_byte_length);
  const definition = { view, offset: second.repetition_levels_byte_length };
  if (levels.definition > 0) runs(definition, bitsOf(levels.definition), second.num_values, front);
  const rest = bytes.subarray(front);
  const size = header.uncompressed_page_size - front;
  const text = second.is_compressed && rest.length > 0 ? decompressPage(rest, size, chunk.codec, codecs) : rest;
  const reader = { view: viewOf(text), offset: 0 };
  if (second.encoding?.endsWith("DICTIONARY")) valueRuns(reader, second.num_values);
  else if (second.encoding === "RLE") sizedRuns(reader, 1, second.num_values);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const bitsOf = (largest: number) => 32 - Math.clz32(largest);

interface Reader {
  readonly view: DataView;
  offset: number;
}

/** Runs behind the number of their bytes. */
function sizedRuns(reader: Reader, width: number, count: number): void {
  if (count === 0) return;
  const end = reader.offset + 4 + reader.view.getUint32(reader.offset, true);
  reader.offset += 4;
  runs(reader, width, count, end);
  reader.offset = end;
}

/** Runs behind the number of bits of each value. */
function valueRuns(reader: Reader, count: number): void {
  if (reader.offset >= reader.view.byteLength) return;
  const width = reader.view.getUint8(reader.offset++);
  if (width > 32) throw new Error(`values of ${width} bits`);
  if (width > 0) runs(reader, width, count, reader.view.byteLength);
}

/** The runs of a page of `count` values: none is longer than what the page still lacks, but for the last one's padding. */
function runs(reader: Reader, width: number, count: number, end: number): void {
  let seen = 0;
  while (seen < count && reader.offset < end) {
    const head = variable(reader);
    const run = head & 1 ? (head >>> 1) * 8 : head >>> 1;
    if (run > count - seen + 504) throw new Error(`a run of ${run} values, where ${count - seen} are left`);
    reader.offset += head & 1 ? (head >>> 1) * width : (width + 7) >> 3;
    seen += run;
  }
}

function variable(reader: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = reader.view.getUint8(reader.offset++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw new Error("a number of more than 32 bits");
}
