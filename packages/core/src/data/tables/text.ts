import { InputError } from "../../errors.ts";
import { joinBytes } from "../../values.ts";

/** A text whose letters of a kind stand as JSON writes them: `\n`, `\u200b`. */
export const escapedLetters = (text: string, kind: RegExp): string =>
  text.replaceAll(kind, (letters) => letters.split("").map(escaped).join(""));

const escaped = (unit: string): string =>
  shortEscapes[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The byte that ends a line. */
const feed = 10;

/**
 * A file's bytes as text: of the encoding that is named, else UTF-16 where a byte-order mark says so, else UTF-8. Where
 * lines end with a carriage return alone, as old programs of the Mac write, they end with a line feed.
 * @param encoding a name that TextDecoder knows: latin1, windows-1252, utf-16le, shift_jis …
 * @throws InputError naming the file, and the line of the first byte that is not UTF-8; a name that nobody knows
 */
export function decodeText(name: string, bytes: Uint8Array, encoding?: string): string {
  const text = textDecoder(name, bytes, encoding)(bytes, true);
  return text.includes("\n") ? text : text.replaceAll("\r", "\n");
}

/** Decodes the next bytes of a file; letters that go on behind them come with the next ones. */
export type PieceDecoder = (bytes: Uint8Array, isLast: boolean) => string;

/**
 * Decodes a file that comes in pieces, whichever they are.
 * @param start its first bytes, which say how it is encoded where `encoding` does not
 * @throws InputError as `decodeText`
 */
export function textDecoder(name: string, start: Uint8Array, encoding?: string): PieceDecoder {
  refuseOtherKinds(name, start);
  const decoder = decoderOf(encoding ?? marked(start));
  if (encoding === undefined && decoder.encoding === "utf-8") refuseUnmarked(name, start);
  return decoder.encoding === "utf-8" ? utf8Decoder(name) : otherDecoder(name, decoder);
}

const wrongBytes = (where: string, encoding: string) =>
  new InputError(
    `${where}: not ${encoding.toUpperCase()}; save the file as UTF-8, or name its encoding, as in \`encoding: "latin1"\``,
  );

/**
 * Each piece is decoded for itself, which is quicker than by a decoder with a state, and makes strings of half the size.
 * What is given ends with a line where one ends in the piece, which spares a copy to those who read lines.
 */
function utf8Decoder(name: string): PieceDecoder {
  let decoder = new TextDecoder("utf-8", { fatal: true });
  let [held, line] = [new Uint8Array(), 1];
  return (bytes, isLast) => {
    const whole = held.length === 0 ? bytes : joinBytes([held, bytes]);
    const end = isLast ? whole.length : whole.lastIndexOf(feed) + 1 || whole.length - unfinished(whole);
    held = whole.slice(end);
    const letters = whole.subarray(0, end);
    try {
      const text = decoder.decode(letters);
      if (end > 0) decoder = later;
      if (!isLast) line += feedsIn(text);
      return text;
    } catch {
      throw wrongBytes(`${name} line ${line + badLine(letters) - 1}`, "utf-8");
    }
  };
}

/** A mark of the byte order stands at a file's beginning alone; further on it is a letter. */
const later = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How many bytes at the end may belong to a letter of UTF-8 that goes on behind them. */
function unfinished(bytes: Uint8Array): number {
  const end = bytes.subarray(-3);
  const first = end.findLastIndex((byte) => (byte & 0xc0) !== 0x80);
  return (end[first] ?? 0) < 0xc0 ? 0 : end.length - first;
}

/** How many lines of a text end. */
export function feedsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

const otherDecoder =
  (name: string, decoder: TextDecoder): PieceDecoder =>
  (bytes, isLast) => {
    try {
      return decoder.decode(bytes, { stream: !isLast });
    } catch {
      throw wrongBytes(name, decoder.encoding);
    }
  };

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new InputError(
      `no encoding is called "${encoding}"; there are utf-8, latin1, windows-1252, utf-16le, utf-16be, shift_jis, gbk, koi8-r and the others of the web`,
    );
  }
}

function marked([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

/** What files that hold no text begin with, and what to do with one whose name says otherwise. */
const otherKinds: readonly (readonly [start: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], "a file packed with gzip; put .gz behind its name"],
  [[0x50, 0x4b, 0x03, 0x04], "a zip archive, as workbooks are; unpack it, or name a workbook .xlsx"],
  [[0x50, 0x41, 0x52, 0x31], "a Parquet file; name it .parquet"],
  [[0xd0, 0xcf, 0x11, 0xe0], "an old Excel workbook, or one with a password; save it as .xlsx or .csv without one"],
  [[0x25, 0x50, 0x44, 0x46, 0x2d], "a PDF; save what it shows as .xlsx or .csv"],
  [[0xff, 0xfe, 0, 0], "UTF-32; save it as UTF-8"],
  [[0, 0, 0xfe, 0xff], "UTF-32; save it as UTF-8"],
];

/** @throws InputError: bytes that are no text, which some encodings would read all the same */
function refuseOtherKinds(name: string, bytes: Uint8Array): void {
  const kind = otherKinds.find(([start]) => start.every((byte, at) => bytes[at] === byte));
  if (kind) throw new InputError(`${name} begins as ${kind[1]}`);
}

/** UTF-16 without its mark reads as UTF-8 with a zero beside every letter. */
function refuseUnmarked(name: string, bytes: Uint8Array): void {
  const start = bytes.subarray(0, 200);
  const zeros = (odd: number) => start.filter((byte, at) => byte === 0 && at % 2 === odd).length;
  const [big, little] = [zeros(0), zeros(1)];
  if (start.length < 4 || Math.max(big, little) < start.length / 3) return;
  const encoding = big > little ? "utf-16be" : "utf-16le";
  throw new InputError(`${name}: every second byte is 0, as in UTF-16 without a mark; say \`encoding: "${encoding}"\``);
}

/** The first line that is not UTF-8 on its own; a line feed is never part of a longer UTF-8 sequence. */
function badLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(feed, start);
    const stop = end < 0 ? bytes.length : end;
    try {
      decoder.decode(bytes.subarray(start, stop));
    } catch {
      return line;
    }
    start = stop + 1;
  }
  return line;
}

/** A text's lines without their ends (LF or CRLF) and the number of each. Blank lines are left out. */
export function* linesOf(text: string, firstLine = 1): Iterable<readonly [line: string, number: number]> {
  let number = firstLine - 1;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const stop = end < 0 ? text.length : end;
    const line = text.slice(start, text[stop - 1] === "\r" && stop > start ? stop - 1 : stop);
    number += 1;
    if (line.trim() !== "") yield [line, number];
    start = stop + 1;
  }
}

/** Finds a letter's first place from another one on, the text's end where there is none; asked in ascending order, all questions together cost the text's length. */
export function ascending(text: string, letter: string): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found >= from) return found;
    const place = text.indexOf(letter, from);
    found = place < 0 ? text.length : place;
    return found;
  };
}
