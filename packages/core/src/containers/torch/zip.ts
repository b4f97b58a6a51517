import { InputError } from "../../errors.ts";
import { type ByteSource, readBytes } from "../folder.ts";
import { quote } from "../json.ts";
import { refusePointer } from "../lfs-pointer.ts";
import { problemList } from "../problem-list.ts";

/** A file inside an archive, as it lies there: neither compressed nor encrypted. */
export interface ZipEntry {
  /** In bytes, from the archive's start. */
  readonly offset: number;
  readonly size: number;
}

const endLength = 22;
const longestComment = 0xffff;
const mostEntries = 100_000;
/** an entry's two headers, apart from its name */
const shortestEntry = 46 + 30;

/**
 * The files of a zip archive by name, read off its central directory. Only what torch writes is read: one part, below
 * 4 GiB, every file stored as it is.
 *
 * @throws InputError with every entry that is not
 * Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16
 */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { entries, offset, length } = await readEnd(source);
  if (entries * shortestEntry > source.size) throw damaged(source);
  const directory = viewOf(await readBytes(source, offset, length));
  const problems = problemList(source.name);
  const found = new Map<string, ZipEntry>();
  let [at, held] = [0, 0];
  for (let index = 0; index < entries; index++) {
    const entry = readCentralHeader(source, directory, at);
    at = entry.end;
    const stored = await locate(source, entry);
    if (found.has(entry.name)) problems.add(`holds two files named ${quote(entry.name)}`);
    else if (typeof stored === "string") problems.add(`file ${quote(entry.name)} ${stored}`);
    else {
      found.set(entry.name, stored);
      held += stored.size;
      if (held > source.size) throw new InputError(`${source.name}: its files lie inside of one another`);
    }
  }
  problems.refuse();
  return found;
}

/** The record at the archive's end, behind which only a comment may stand. */
async function readEnd(source: ByteSource) {
  const length = Math.min(source.size, endLength + longestComment);
  const tail = viewOf(await readBytes(source, source.size - length, length));
  for (let at = length - endLength; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50 || tail.getUint16(at + 20, true) !== length - at - endLength) continue;
    const entries = tail.getUint16(at + 10, true);
    const [size, offset] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
    if (size === 0xffffffff || offset === 0xffffffff || entries > mostEntries) {
      throw new InputError(`${source.name}: is a zip archive of more than 4 GiB, which petl does not read`);
    }
    if (offset + size > source.size) throw damaged(source);
    return { entries, offset, length: size };
  }
  await refusePointer(source);
  throw new InputError(`${source.name}: is no zip archive; torch writes one since version 1.6`);
}

interface CentralHeader {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly header: number;
  /** where the next one begins */
  readonly end: number;
}

function readCentralHeader(source: ByteSource, view: DataView, at: number): CentralHeader {
  if (at + 46 > view.byteLength || view.getUint32(at, true) !== 0x02014b50) throw damaged(source);
  const lengths = [28, 30, 32].map((field) => view.getUint16(at + field, true));
  const end = at + 46 + lengths.reduce((sum, length) => sum + length, 0);
  if (end > view.byteLength) throw damaged(source);
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, lengths[0]));
  return {
    name,
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    packed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    header: view.getUint32(at + 42, true),
    end,
  };
}

/** Where an entry's bytes are, or why they cannot be read. */
async function locate(source: ByteSource, { flags, method, packed, size, header }: CentralHeader) {
  if ((flags & 1) !== 0) return "is encrypted";
  if (method !== 0 || packed !== size) return "is compressed, which torch's files never are";
  if (header + 30 > source.size) throw damaged(source);
  const local = viewOf(await readBytes(source, header, 30));
  if (local.getUint32(0, true) !== 0x04034b50) throw damaged(source);
  const offset = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (offset + size > source.size) throw damaged(source);
  return { offset, size };
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

const damaged = ({ name }: ByteSource): InputError =>
  new InputError(`${name}: is a damaged zip archive; is it a part of a download?`);
