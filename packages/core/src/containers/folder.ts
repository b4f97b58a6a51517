import { InputError, suggestion } from "../errors.ts";
import { parseJson, quote } from "./json.ts";

/** Bytes that a host can read at any place: a file, a download, a dropped File. */
export interface ByteSource {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on, which the caller may keep and does not write into. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The files of one folder; subfolders don't exist. */
export interface Folder {
  readonly name: string;
  /** Plain file names. */
  files(): Promise<readonly string[]>;
  open(file: string): Promise<ByteSource>;
}

/** The same folder for one piece of work: its names are asked for once, and its small files are read once, whole. */
export function askedOnce(folder: Folder): Folder {
  let names: Promise<readonly string[]> | undefined;
  const sources = new Map<string, Promise<ByteSource>>();
  return {
    name: folder.name,
    files() {
      names ??= folder.files();
      return names;
    },
    open(file) {
      const source = sources.get(file) ?? folder.open(file).then(readAtOnce);
      sources.set(file, source);
      return source;
    },
  };
}

/** A text file is refused from here on: JavaScript has no longer strings. */
const longestText = 2 ** 28;

/** `source.read`, refusing a range outside of the source before reading it and an answer of another length. */
export async function readBytes(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  if (offset + length > source.size) {
    throw new InputError(`${source.name}: ends at byte ${source.size}, before ${offset + length}`);
  }
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) {
    throw new InputError(
      `${source.name}: gave ${bytes.length} of the ${length} bytes at ${offset}; was it changed while it was read?`,
    );
  }
  return bytes;
}

/** A file of at most so many bytes is small: reading it whole costs less than asking for its parts. */
const smallFile = 2 ** 24;

/** The same source; a small file is read whole at the first question, once, and kept as long as the source is. */
export function readAtOnce(source: ByteSource): ByteSource {
  if (source.size > smallFile) return source;
  let whole: Promise<Uint8Array> | undefined;
  return {
    name: source.name,
    size: source.size,
    async read(offset, length) {
      if (offset + length > source.size) return source.read(offset, length);
      whole ??= readBytes(source, 0, source.size);
      return (await whole).subarray(offset, offset + length);
    },
  };
}

/** A file as UTF-8 text, without its byte order mark. */
export async function readText(folder: Folder, file: string): Promise<string> {
  const source = await folder.open(file);
  const place = `${folder.name}/${file}`;
  if (source.size >= longestText) {
    throw new InputError(`${place}: ${source.size} bytes are too many for a text file; allowed are ${longestText}`);
  }
  const bytes = await readBytes(source, 0, source.size);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${place}: is not UTF-8 text`);
  }
}

/** A JSON file's value; the error of a bad one names line and column. */
export async function readJson(folder: Folder, file: string): Promise<unknown> {
  return parseJson(await readText(folder, file), `${folder.name}/${file}`);
}

/** A folder whose files lie in memory. */
export function memoryFolder(name: string, contents: Readonly<Record<string, Uint8Array | string>>): Folder {
  const files = new Map(Object.entries(contents));
  return {
    name,
    files: async () => [...files.keys()],
    async open(file) {
      const content = files.get(file);
      if (content === undefined) {
        const has = [...files.keys()].sort();
        throw new InputError(
          `${name}: has no file ${quote(file)}${suggestion(file, has)}; its files: ${has.join(", ") || "none"}`,
        );
      }
      return memorySource(file, typeof content === "string" ? new TextEncoder().encode(content) : content);
    },
  };
}

/** Bytes in memory as a source; every read copies (a Node Buffer's own slice would not). */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
  };
}

/** One path segment that stays inside its folder under POSIX and Windows rules. */
export function isPlainName(name: string): boolean {
  return !/^$|^\.{1,2}$|[/\\:\p{Cc}]|[. ]$/u.test(name);
}
